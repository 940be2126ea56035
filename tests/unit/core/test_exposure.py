"""What is held counts in full until we know that it is less."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.exposure import Exposure, Holding, exposure_of
from core.parameters import CostParameters
from core.positions import Position, Protection, Source, Stage
from core.signals import Side
from tests.builders import T0, candidate, fill, plan, position, ranked

NO_MARKS: dict[str, Decimal] = {}
FREE = CostParameters(taker_fee=Decimal(0), slippage=Decimal(0))


def only(held: Position, *, mark: str | None = None, costs: CostParameters = FREE) -> Holding:
    marks = NO_MARKS if mark is None else {held.symbol: Decimal(mark)}
    (holding,) = exposure_of([held], marks=marks, costs=costs).holdings
    return holding


def partly_filled(stage: Stage, *, ended: bool) -> Position:
    """Make a position of 10 at 100, of which 4 were filled."""
    intent = plan(quantity="10")
    return Position(
        plan=intent,
        stage=stage,
        fills=(fill(intent, price=Decimal(100), quantity=Decimal(4)),),
        entry_total=Decimal(4) if ended else None,
        opened_at=T0,
    )


def test_a_position_counts_with_its_margin_its_value_and_the_way_to_its_stop() -> None:
    # 10 at 100 with 3×, stop at 99, mark at 100.5: 1.5 a unit would still be lost.
    holding = only(position(), mark="100.5")
    assert round(holding.margin, 4) == Decimal("333.3333")
    assert holding.notional == Decimal(1005)
    assert holding.loss_at_stop == Decimal(15)


def test_leaving_at_the_stop_costs_a_fee_and_slippage() -> None:
    # 10 × 99 × (0.05 % + 0.02 %) beside the 10 of the move.
    assert only(position(), costs=CostParameters()).loss_at_stop == Decimal("10.693")


def test_a_short_is_lost_upward() -> None:
    short = position(plan(ranked(candidate(side=Side.SHORT))))
    assert only(short, mark="99").loss_at_stop == Decimal(20)


def test_a_stop_that_locks_in_profit_still_gives_back_what_the_mark_shows() -> None:
    trailing = Protection(client_order_id="s2", trigger_price=Decimal(104), confirmed=True)
    assert only(replace(position(), stop=trailing), mark="105").loss_at_stop == Decimal(10)


def test_a_stop_counts_only_once_it_is_confirmed() -> None:
    hoped = Protection(client_order_id="s2", trigger_price=Decimal("99.9"), confirmed=False)
    assert only(replace(position(), stop=hoped)).loss_at_stop == Decimal(10)


def test_beyond_the_stop_nothing_is_won() -> None:
    assert only(position(), mark="98").loss_at_stop == 0


@pytest.mark.parametrize("stage", [Stage.INTENDED, Stage.ENTERING, Stage.UNKNOWN])
def test_an_order_of_unknown_outcome_counts_as_filled(stage: Stage) -> None:
    holding = only(position(stage=stage))
    assert holding.notional == Decimal(1000)
    assert holding.funded_at is None


@pytest.mark.parametrize(
    ("held", "quantity"),
    [
        (partly_filled(Stage.ENTERING, ended=False), 10),
        (partly_filled(Stage.UNKNOWN, ended=True), 10),
        (partly_filled(Stage.FROZEN, ended=True), 10),
        (partly_filled(Stage.OPEN, ended=True), 4),
    ],
)
def test_a_part_of_an_entry_counts_as_the_whole_until_it_has_ended(held: Position, quantity: int) -> None:
    assert only(held).notional == 100 * Decimal(quantity)


def test_what_has_left_no_longer_counts() -> None:
    held = position(stage=Stage.CLOSING)
    left = fill(held.plan, price=Decimal(101), quantity=Decimal(7), opening=False)
    assert only(replace(held, fills=(*held.fills, left))).notional == Decimal(300)


def test_virtual_positions_twins_and_closed_ones_do_not_count() -> None:
    shadows = [position(plan(source=each)) for each in (Source.VIRTUAL, Source.TWIN)]
    assert exposure_of([*shadows, position(stage=Stage.CLOSED)], marks=NO_MARKS, costs=FREE) == Exposure()


def test_holdings_add_up() -> None:
    one = Holding(
        symbol="A", side=Side.LONG, margin=Decimal(1), notional=Decimal(20), loss_at_stop=Decimal(3)
    )
    both = Exposure().reserved(one).reserved(replace(one, symbol="B", notional=Decimal(5)))
    assert (both.margin, both.notional, both.loss_at_stops) == (Decimal(2), Decimal(25), Decimal(6))
    assert both.holds("A")
    assert both.holds("B")
    assert not both.holds("C")


def test_a_balance_read_before_a_fill_has_not_seen_its_margin_leave() -> None:
    held = exposure_of([position()], marks=NO_MARKS, costs=FREE)
    assert held.unfunded(T0 - 1) == held.unfunded(T0) == held
    assert held.unfunded(T0 + 1) == Exposure()
