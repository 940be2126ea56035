"""A position is as large as its confidence earns, and no larger than any cap allows."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.leverage import liquidation_distance
from core.parameters import Parameters, SizingParameters
from core.positions import PositionPlan, Source
from core.signals import Candidate, Side
from core.sizing import Size, loss_of_plan, margin_fraction, plan_position, prices_on_ticks, size, to_decimal
from core.symbols import SymbolContext
from core.verdicts import Reason, Refused
from tests.builders import T0, candidate, instrument, ranked, symbol_context

PARAMETERS = Parameters()
NAN = float("nan")


def sized(
    wish: Candidate, context: SymbolContext | None = None, *, equity: str = "10000", leverage: int = 20
) -> Size | Refused:
    return size(
        wish,
        context or symbol_context(),
        equity=Decimal(equity),
        leverage=leverage,
        parameters=PARAMETERS,
    )


def tradable(wish: Candidate, context: SymbolContext | None = None, *, leverage: int = 20) -> Size:
    result = sized(wish, context, leverage=leverage)
    assert isinstance(result, Size)
    return result


@pytest.mark.parametrize(
    ("value", "meant"),
    [(0.1 + 0.2, "0.3"), (99.0 * 1.01, "99.99"), (0.00001234, "0.00001234"), (126_000.1, "126000.1")],
)
def test_a_float_becomes_the_decimal_that_was_meant(value: float, meant: str) -> None:
    assert to_decimal(value) == Decimal(meant)


@pytest.mark.parametrize(
    ("confidence", "fraction"),
    [(60, "0.03"), (70, "0.03"), (71.5, "0.035"), (85, "0.08"), (100, "0.13")],
)
def test_margin_grows_with_confidence_from_three_to_thirteen_percent(
    confidence: float, fraction: str
) -> None:
    assert margin_fraction(confidence, SizingParameters()) == Decimal(fraction)


def test_a_plain_size_by_hand() -> None:
    # margin 3 % of 10,000 = 300; at 20× a notional of 6,000, at 100 that is 60 SOL.
    # loss a unit: move 1, fees 0.0005 × (100 + 99) = 0.0995, slippage 0.02, half the spread 0.005.
    result = tradable(candidate(confidence=70.0, price=100.0, stop_distance=0.01))
    assert result.leverage == 20
    assert result.quantity == Decimal(60)
    assert result.margin == Decimal(300)
    assert result.loss_at_stop == Decimal(60) * Decimal("1.1245")


def test_liquidation_keeps_twice_the_distance_of_the_stop() -> None:
    # Stop at 3 %, so liquidation at 6 % or more:
    # 14×: (1/14 − 0.01) / 0.99 = 6.21 %, 15×: (1/15 − 0.01) / 0.99 = 5.72 %.
    assert tradable(candidate(stop_distance=0.03)).leverage == 14


def test_the_loss_at_the_stop_keeps_to_two_percent_of_equity() -> None:
    # Confidence 100: margin 1,300. A unit loses 2 + 0.0995 − 0.0005 + 0.02 + 0.005 = 2.124 of 100.
    # 200 / (1,300 × 0.02124) = 7.24, so 7×.
    result = tradable(candidate(confidence=100.0, stop_distance=0.02))
    assert result.leverage == 7
    assert result.loss_at_stop == Decimal(91) * Decimal("2.124")


def test_a_loss_of_exactly_two_percent_is_allowed() -> None:
    # Confidence 85: margin 800, at 20× 160 SOL. With half the spread at 0.1305 a unit loses exactly 1.25.
    result = tradable(candidate(confidence=85.0), symbol_context(spread=0.00261))
    assert (result.leverage, result.loss_at_stop) == (20, Decimal(200))


def test_the_least_quantity_is_enough() -> None:
    assert tradable(candidate(), symbol_context(contract=instrument(step="60"))).quantity == Decimal(60)


def test_a_bracket_too_small_for_the_notional_lowers_the_leverage() -> None:
    # Margin 300: 20× asks for 6,000. The brackets allow 20× up to 1,000 and 10× up to 3,000.
    tight = instrument(ladder=(("0", "1000", "0.01", 20, "0"), ("1000", "3000", "0.02", 10, "10")))
    result = tradable(candidate(stop_distance=0.005), symbol_context(contract=tight))
    assert result.leverage == 10
    assert result.notional == Decimal(3000)


def test_the_record_bounds_the_leverage() -> None:
    assert tradable(candidate(), leverage=5).leverage == 5


def test_a_market_order_is_never_larger_than_the_exchange_takes() -> None:
    small = symbol_context(contract=instrument(max_market_quantity="12.345"))
    assert tradable(candidate(), small).quantity == Decimal("12.34")


def test_a_wider_spread_counts_against_the_size() -> None:
    tight, wide = (tradable(candidate(), symbol_context(spread=spread)) for spread in (0.0, 0.0004))
    assert wide.loss_at_stop - tight.loss_at_stop == Decimal(60) * Decimal("0.02")


def test_an_unknown_spread_counts_as_the_widest_we_trade() -> None:
    unknown, widest = (tradable(candidate(), symbol_context(spread=each)) for each in (NAN, 0.0005))
    assert unknown == widest


@pytest.mark.parametrize(
    ("wish", "context", "reason"),
    [
        (candidate(refusal="stop_too_far"), symbol_context(), Reason.GEOMETRY),
        (candidate(price=NAN), symbol_context(), Reason.GEOMETRY),
        (replace(candidate(), target=float("inf")), symbol_context(), Reason.GEOMETRY),
        (candidate(stop_distance=0.0), symbol_context(), Reason.GEOMETRY),
        (candidate(confidence=NAN), symbol_context(), Reason.GEOMETRY),
        (candidate(), symbol_context(contract=instrument(ladder=())), Reason.BRACKETS_UNKNOWN),
        (candidate(), symbol_context(contract=instrument(tick="5")), Reason.PRICE_TOO_COARSE),
        (candidate(stop_distance=1.0), symbol_context(), Reason.PRICE_TOO_COARSE),
        (candidate(price=100.004, stop_distance=0.00004), symbol_context(), Reason.PRICE_TOO_COARSE),
        (candidate(), symbol_context(contract=instrument(min_notional="5900")), Reason.BELOW_MINIMUM),
        (candidate(), symbol_context(contract=instrument(step="100")), Reason.BELOW_MINIMUM),
        (
            candidate(),
            symbol_context(contract=instrument(ladder=(("0", "100000", "0.05", 2, "0"),))),
            Reason.BRACKET,
        ),
        (candidate(stop_distance=0.17), symbol_context(), Reason.LIQUIDATION_NEAR),
        (candidate(stop_distance=0.15, confidence=100.0), symbol_context(), Reason.LOSS_TOO_LARGE),
    ],
)
def test_what_can_not_be_sized_is_refused_with_its_reason(
    wish: Candidate, context: SymbolContext, reason: Reason
) -> None:
    assert sized(wish, context) == Refused(reasons=(reason,))


def test_a_notional_must_clear_the_minimum_by_two_percent() -> None:
    # 6,000 clears 5,882.35 × 1.02 = 5,999.997 but not 5,882.36 × 1.02 = 6,000.007.
    clears, falls_short = (
        symbol_context(contract=instrument(min_notional=least)) for least in ("5882.35", "5882.36")
    )
    assert isinstance(sized(candidate(), clears), Size)
    assert sized(candidate(), falls_short) == Refused(reasons=(Reason.BELOW_MINIMUM,))


@pytest.mark.parametrize("equity", ["0", "-5"])
def test_an_account_without_equity_can_not_trade(equity: str) -> None:
    result = sized(candidate(), equity=equity)
    assert isinstance(result, Refused)
    assert Reason.BELOW_MINIMUM in result.reasons


@pytest.mark.parametrize("side", Side)
def test_stops_round_away_from_the_entry_and_targets_toward_it(side: Side) -> None:
    wish = replace(candidate(side=side), price=100.0, stop=100 - side * 1.234, target=100 + side * 1.239)
    prices = prices_on_ticks(wish, instrument(tick="0.01"))
    assert prices is not None
    assert (prices.entry - prices.stop) * side == Decimal("1.24")
    assert (prices.target - prices.entry) * side == Decimal("1.23")


def test_a_plan_carries_the_size_and_the_prices() -> None:
    signal = ranked(candidate(confidence=100.0, stop_distance=0.02), leverage=20)
    plan = plan_position(
        signal,
        symbol_context(),
        source=Source.VIRTUAL,
        at=T0 + 5,
        equity=Decimal(10_000),
        parameters=PARAMETERS,
    )
    assert isinstance(plan, PositionPlan)
    assert (plan.source, plan.signal, plan.planned_at) == (Source.VIRTUAL, signal, T0 + 5)
    assert (plan.leverage, plan.quantity, plan.margin) == (7, Decimal(91), Decimal(1300))
    assert (plan.entry, plan.stop, plan.targets[0].price) == (Decimal(100), Decimal(98), Decimal(104))
    assert loss_of_plan(plan, symbol_context(), PARAMETERS) == Decimal(91) * Decimal("2.124")


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Candidate, SymbolContext]:
    """Draw a candidate and a market of any scale: prices from 0.0001 to 100,000, ticks to match."""
    price = draw(st.floats(1, 10)) * 10.0 ** draw(st.integers(-4, 4))
    tick = Decimal(1).scaleb(draw(st.integers(-8, -3))) * 10 ** len(str(int(price)))
    wish = candidate(
        side=draw(st.sampled_from(Side)),
        price=price,
        stop_distance=draw(st.floats(0.002, 0.03)),
        confidence=draw(st.floats(70, 100)),
    )
    contract = instrument(tick=f"{tick:f}", step=draw(st.sampled_from(["0.001", "0.1", "1", "100"])))
    return wish, symbol_context(contract=contract, spread=draw(st.floats(0, 0.0005)))


EQUITIES = st.decimals("50", "1000000", places=2)
ROUNDING = Decimal("1e-18")
"""What dividing decimals of 28 digits may add: 19.25 / 3 is more than 50 × 0.1283…33."""


@given(wish=wishes(), equity=EQUITIES, leverage=st.integers(0, 20))
def test_a_stopped_trade_costs_included_never_loses_more_than_two_percent_of_equity(
    wish: tuple[Candidate, SymbolContext], equity: Decimal, leverage: int
) -> None:
    result = size(wish[0], wish[1], equity=equity, leverage=leverage, parameters=PARAMETERS)
    assume(isinstance(result, Size))
    assert isinstance(result, Size)
    entry, stop, side = result.prices.entry, result.prices.stop, wish[0].side
    paid = entry * (1 + side * (Decimal("0.0002") + to_decimal(wish[1].spread) / 2))
    lost = result.quantity * ((paid - stop) * side + Decimal("0.0005") * (entry + stop))
    assert lost <= equity * Decimal("0.02")


@given(wish=wishes(), equity=EQUITIES, leverage=st.integers(0, 20))
def test_rounding_and_caps_only_ever_make_a_trade_smaller_and_safer(
    wish: tuple[Candidate, SymbolContext], equity: Decimal, leverage: int
) -> None:
    asked, context = wish
    result = size(asked, context, equity=equity, leverage=leverage, parameters=PARAMETERS)
    assume(isinstance(result, Size))
    assert isinstance(result, Size)
    contract, side = context.instrument, asked.side
    assert 3 <= result.leverage <= max(leverage, 3)
    at_most = equity * margin_fraction(asked.confidence, PARAMETERS.sizing)
    assert result.margin <= at_most + ROUNDING
    assert result.quantity % contract.step_size == 0
    assert (to_decimal(asked.stop) - result.prices.stop) * side >= 0
    assert (to_decimal(asked.target) - result.prices.target) * side >= 0
    assert result.notional >= contract.min_notional * Decimal("1.02")
    assert result.notional <= contract.max_notional(result.leverage)


@given(wish=wishes(), equity=EQUITIES)
def test_liquidation_is_at_least_twice_as_far_as_the_stop(
    wish: tuple[Candidate, SymbolContext], equity: Decimal
) -> None:
    result = size(wish[0], wish[1], equity=equity, leverage=20, parameters=PARAMETERS)
    assume(isinstance(result, Size))
    assert isinstance(result, Size)
    distance = liquidation_distance(
        wish[1].instrument, wish[0].side, leverage=result.leverage, notional=result.notional
    )
    assert distance >= 2 * abs(result.prices.entry - result.prices.stop) / result.prices.entry


@given(wish=wishes(), equity=EQUITIES, leverage=st.integers(3, 19))
def test_a_better_record_never_shrinks_a_position(
    wish: tuple[Candidate, SymbolContext], equity: Decimal, leverage: int
) -> None:
    low, high = (
        size(wish[0], wish[1], equity=equity, leverage=each, parameters=PARAMETERS)
        for each in (leverage, leverage + 1)
    )
    if isinstance(low, Size):
        assert isinstance(high, Size)
        assert high.notional >= low.notional
