"""What a survey of the whole account shows beside what we believe: pure comparisons, nothing is changed here.

What is ours and should not be there is cancelled; what should be there and is not is asked about. What is
somebody else's is noticed and never touched.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.lifecycle_moves import entry_query, query_of
from core.order_ids import CLIENT_ID_PREFIX, tag_of
from core.orders import (
    AccountSurvey,
    CancelConditional,
    QueryOrder,
    RestingConditional,
)
from core.positions import Position, Stage


class Oddity(StrEnum):
    """What people should hear about an account that is not ours alone; message keys."""

    SECOND_BOT = "second_bot"
    FOREIGN_POSITION = "foreign_position"
    FOREIGN_ORDER = "foreign_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One oddity; ``text`` names the order or tells the quantity."""

    oddity: Oddity
    symbol: str
    text: str


def oddities(
    survey: AccountSurvey, live: Mapping[str, Position], tags: Collection[str]
) -> tuple[Finding, ...]:
    """Name what is not ours, the gravest first. ``tags`` are those of every position of our journal.

    An order that carries our prefix and no tag of ours was sent by another trader like us.
    """
    orders = [(each.client_order_id, each.symbol) for each in survey.conditionals]
    orders += [(each.client_order_id, each.symbol) for each in survey.orders]
    strangers = [(name, symbol) for name, symbol in orders if tag_of(name) not in tags]
    like_us = [
        Finding(oddity=Oddity.SECOND_BOT, symbol=symbol, text=name)
        for name, symbol in strangers
        if name.startswith(CLIENT_ID_PREFIX)
    ]
    positions = [
        Finding(oddity=Oddity.FOREIGN_POSITION, symbol=each.symbol, text=f"{each.quantity:f}")
        for each in survey.account.positions
        if each.symbol not in live
    ]
    others = [
        Finding(oddity=Oddity.FOREIGN_ORDER, symbol=symbol, text=name)
        for name, symbol in strangers
        if not name.startswith(CLIENT_ID_PREFIX)
    ]
    return (*like_us, *positions, *others)


def orphans(
    survey: AccountSurvey, live: Mapping[str, Position], tags: Mapping[str, str]
) -> tuple[CancelConditional, ...]:
    """Cancel what is left of positions that are over, on symbols where nothing is held.

    ``tags`` names the position of each tag of our journal.
    Where something is held that we do not know, an old stop of ours may be all that protects it.
    """
    held = {each.symbol for each in survey.account.positions}
    return tuple(
        CancelConditional(position_id=tags[tag], client_order_id=each.client_order_id, symbol=each.symbol)
        for each in survey.conditionals
        if each.symbol not in live
        and each.symbol not in held
        and not survey.account.may_hold(each.symbol)
        and (tag := tag_of(each.client_order_id)) is not None
        and tag in tags
    )


def lost_protections(position: Position, survey: AccountSurvey) -> tuple[QueryOrder, ...]:
    """Ask about stops and targets that we believe to rest and that the venue does not list."""
    if position.stage not in {Stage.OPEN, Stage.PROTECTING, Stage.FROZEN}:
        return ()
    listed = {each.client_order_id for each in survey.conditionals}
    return tuple(
        query_of(position, each.client_order_id)
        for each in position.protections
        if each.confirmed and each.client_order_id not in listed
    )


def late_entries(
    survey: AccountSurvey, live: Mapping[str, Position], given_up: Iterable[Position]
) -> tuple[QueryOrder, ...]:
    """Ask about entries that were given up where the account holds what they would have opened."""
    held = {each.symbol: each.quantity for each in survey.account.positions if each.symbol not in live}
    return tuple(
        entry_query(each)
        for each in given_up
        if each.symbol in held
        and each.side * held[each.symbol] > 0
        and abs(held[each.symbol]) <= each.plan.quantity
    )


def ours_on(
    symbol: str, resting: Iterable[RestingConditional], tags: Collection[str]
) -> tuple[RestingConditional, ...]:
    """Keep what our journal knows of, on one symbol."""
    return tuple(each for each in resting if each.symbol == symbol and tag_of(each.client_order_id) in tags)


def most_urgent_first(positions: Iterable[Position]) -> Sequence[Position]:
    """Order positions so that the unprotected are looked at before all others."""
    return sorted(positions, key=lambda each: (each.is_protected, each.symbol))
