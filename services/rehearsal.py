"""Whether the exchange still takes our stops: two are rested where they can do nothing, and taken away."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.clock import Clock
from core.errors import ExchangeRefused
from core.instruments import Instrument
from core.lifecycle_protection import ALREADY_PROTECTED, POSITION_NOT_SEEN
from core.orders import CancelConditional, PlaceConditional, Role
from core.ports import Exchange
from core.signals import Side

log = logging.getLogger(__name__)

FAR = Decimal("0.8")
"""Trigger as a share of the mark: no market falls so far between placing and cancelling."""
LOOKS = 10
LOOK_SECONDS = 0.5
_NAME = "perpscout-rehearsal"
_IDS = {Role.STOP: f"{_NAME}-s", Role.TRAIL: f"{_NAME}-r"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """``works``: stops may be relied on. ``beside``: a tightened one may rest beside the one that stays for
    life. ``text`` says what was refused."""

    works: bool
    beside: bool = True
    text: str = ""


class StopRehearsal:
    """Sends the very orders that protect positions, on a contract in which nobody holds anything.

    They can open nothing, because both only reduce, close nothing, because nothing is held, and fill nothing,
    because their trigger is a fifth below the market. Their ids never change, so that at most one of each
    rests, whatever happens to us, and they are not those of an order of any position.
    """

    def __init__(self, exchange: Exchange, *, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock

    async def run(self, instruments: Mapping[str, Instrument], marks: Mapping[str, Decimal]) -> Rehearsed:
        """Rehearse on the first contract with a mark in which the account holds nothing.

        Raises ``ExchangeUnavailable`` where an answer is missing: then nothing is proven, either way.
        """
        account = await self._exchange.account()
        held = account.unreadable.union(each.symbol for each in account.positions)
        await self._sweep()
        free = (each for name, each in instruments.items() if name not in held and marks.get(name))
        instrument = next(free, None)
        if instrument is None:
            return Rehearsed(works=False, text="there is no contract to rehearse on")
        try:
            return await self._rehearse(instrument, marks[instrument.symbol])
        finally:
            await self._sweep()

    async def _rehearse(self, instrument: Instrument, mark: Decimal) -> Rehearsed:
        placed: list[str] = []
        beside = True
        for order in _orders(instrument, mark):
            refusal = await self._place(order)
            if refusal is None:
                placed.append(order.client_order_id)
            elif refusal.code == ALREADY_PROTECTED and placed:
                beside = False
            elif refusal.code not in POSITION_NOT_SEEN:  # to be told that nothing is held is an answer too
                return Rehearsed(works=False, text=str(refusal))
        if not await self._comes_true(instrument.symbol, frozenset(placed)):
            return Rehearsed(works=False, text="an accepted stop is not among the open orders")
        return Rehearsed(works=True, beside=beside)

    async def _place(self, order: PlaceConditional) -> ExchangeRefused | None:
        try:
            await self._exchange.place(order)
        except ExchangeRefused as refusal:
            return refusal
        return None

    async def _sweep(self) -> None:
        """Take away whatever a rehearsal has left, today or before a crash."""
        for look in range(LOOKS):
            resting = await self._exchange.open_conditionals()
            left = [each for each in resting if each.client_order_id in _IDS.values()]
            if not left:
                return
            if look:  # the list lags behind what it was told
                await self._clock.sleep(LOOK_SECONDS)
            for each in left:
                await self._exchange.cancel(_cancel(each.symbol, each.client_order_id))
        log.warning("orders of a rehearsal still rest; they can neither open nor close anything")

    async def _comes_true(self, symbol: str, wanted: frozenset[str]) -> bool:
        """Look until everything accepted is listed: the exchange's list lags behind its replies."""
        for _ in range(LOOKS):
            listed = {each.client_order_id for each in await self._exchange.open_conditionals(symbol)}
            if wanted <= listed:
                return True
            await self._clock.sleep(LOOK_SECONDS)
        return False


def _orders(instrument: Instrument, mark: Decimal) -> tuple[PlaceConditional, PlaceConditional]:
    """Return the stop that stays for life and a tightened one, as a long position would have them."""
    trigger = instrument.price_at_or_below(mark * FAR)
    sizes = {Role.STOP: None, Role.TRAIL: instrument.min_quantity}
    stop, trail = (
        PlaceConditional(
            position_id=_NAME,
            client_order_id=_IDS[role],
            symbol=instrument.symbol,
            side=Side.LONG,
            role=role,
            trigger_price=trigger,
            quantity=quantity,
        )
        for role, quantity in sizes.items()
    )
    return stop, trail


def _cancel(symbol: str, order_id: str) -> CancelConditional:
    return CancelConditional(position_id=_NAME, client_order_id=order_id, symbol=symbol)
