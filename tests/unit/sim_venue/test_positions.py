"""Position arithmetic conserves money to the last digit."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.venue.positions import FLAT, ZERO, Position, after_trade, charged, closing_part

D = Decimal
quantities = st.integers(-5_000, 5_000).filter(bool).map(lambda n: D(n) / 10)
prices = st.integers(1, 10_000_000).map(lambda n: D(n) / 100)
leverages = st.none() | st.integers(1, 125).map(Decimal)


def test_buying_twice_averages_the_entry_price() -> None:
    first = after_trade(FLAT, D(1), price=D(100), leverage=None).position
    second = after_trade(first, D(3), price=D(104), leverage=None)
    assert (second.position.quantity, second.position.entry_price) == (D(4), D(103))
    assert second.realised == 0


def test_selling_part_realises_its_share_and_keeps_the_entry_price() -> None:
    held = after_trade(FLAT, D(4), price=D(100), leverage=D(10)).position
    outcome = after_trade(held, D(-1), price=D(110), leverage=D(10))
    assert (outcome.realised, outcome.released) == (D(10), D(10))
    assert (outcome.position.entry_price, outcome.position.isolated_wallet) == (D(100), D(30))


def test_selling_more_than_held_flips_at_the_new_price() -> None:
    held = after_trade(FLAT, D(1), price=D(100), leverage=D(10)).position
    outcome = after_trade(held, D(-3), price=D(90), leverage=D(10))
    assert (outcome.realised, outcome.released, outcome.locked) == (D(-10), D(10), D(18))
    assert (outcome.position.quantity, outcome.position.entry_price) == (D(-2), D(90))


def test_a_short_earns_when_the_price_falls() -> None:
    short = after_trade(FLAT, D(-2), price=D(100), leverage=None).position
    assert short.unrealised(D(90)) == 20
    assert after_trade(short, D(2), price=D(90), leverage=None).realised == 20


def test_the_break_even_price_counts_fees_and_profit_taken() -> None:
    held = charged(after_trade(FLAT, D(2), price=D(100), leverage=None).position, D(1), now_ms=5)
    assert (held.break_even_price, held.updated_ms) == (D("100.5"), 5)
    rest = after_trade(held, D(-1), price=D(103), leverage=None).position
    assert rest.break_even_price == 98


def test_a_short_breaks_even_below_its_entry() -> None:
    held = charged(after_trade(FLAT, D(-2), price=D(100), leverage=None).position, D(1), now_ms=5)
    assert held.break_even_price == D("99.5")


def test_a_flat_position_has_no_prices() -> None:
    assert (FLAT.entry_price, FLAT.break_even_price, FLAT.is_flat) == (D(0), D(0), True)
    assert charged(FLAT, D(1), now_ms=3).carried == 0


def test_only_the_opposite_direction_closes() -> None:
    assert closing_part(D(5), D(3)) == 0
    assert closing_part(D(5), D(-3)) == -3
    assert closing_part(D(5), D(-8)) == -5
    assert closing_part(D(-5), D(8)) == 5
    assert closing_part(ZERO, D(-8)) == 0


@given(st.lists(st.tuples(quantities, prices), max_size=12), prices, leverages)
def test_profit_taken_and_open_equals_the_cash_that_flowed(
    trades: list[tuple[Decimal, Decimal]], mark: Decimal, leverage: Decimal | None
) -> None:
    position, taken, cash = Position(), ZERO, ZERO
    for quantity, price in trades:
        outcome = after_trade(position, quantity, price=price, leverage=leverage)
        position, taken = outcome.position, taken + outcome.realised
        cash -= quantity * price
    assert position.quantity == sum((quantity for quantity, _ in trades), ZERO)
    assert taken + position.unrealised(mark) == cash + position.quantity * mark


@given(st.lists(st.tuples(quantities, prices), max_size=12), st.integers(1, 125).map(Decimal))
def test_margin_locked_is_margin_released_or_still_there(
    trades: list[tuple[Decimal, Decimal]], leverage: Decimal
) -> None:
    position, kept = Position(), ZERO
    for quantity, price in trades:
        outcome = after_trade(position, quantity, price=price, leverage=leverage)
        position, kept = outcome.position, kept + outcome.locked - outcome.released
        assert position.isolated_wallet == kept >= 0
    assert kept == 0 or not position.is_flat


@given(quantities, prices, quantities, prices)
def test_position_and_cost_share_their_sign(a: Decimal, p: Decimal, b: Decimal, q: Decimal) -> None:
    first = after_trade(FLAT, a, price=p, leverage=None).position
    second = after_trade(first, b, price=q, leverage=None).position
    assert second.quantity * second.cost >= 0
