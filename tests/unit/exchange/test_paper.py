"""The venue made of candles."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.instruments import InstrumentStatus
from core.market import MarketContext, MinuteClosed, SymbolAxis
from core.orders import (
    AccountRead,
    CloseAtMarket,
    ConditionalChanged,
    ConditionalStatus,
    FundingPaid,
    OrderAbsent,
    OrderEnded,
    OrderFilled,
    PlaceConditional,
    QueryOrder,
    Report,
    Role,
    SubmitEntry,
)
from core.parameters import CostParameters
from core.signals import Side
from exchange.paper import PaperExchange
from tests.builders import HOUR, MINUTE, SYMBOL, T0, instrument, plan, position

FREE = CostParameters(taker_fee=Decimal(0), slippage=Decimal(0))
AXIS = SymbolAxis((SYMBOL,))


def minute(
    candle: tuple[float, float, float, float] | None,
    *,
    at: int = T0 + MINUTE,
    context: MarketContext | None = None,
) -> MinuteClosed:
    """Make a minute that closed at ``at`` with one candle (open, high, low, close), or none."""
    row = np.full((5, 1), np.nan)
    if candle is not None:
        row[:, 0] = (*candle, 1.0)
    return MinuteClosed(
        open_time=at - MINUTE,
        axis=AXIS,
        row=row,
        present=np.array([candle is not None]),
        context=context or MarketContext.unknown(1),
        seen_at=at,
    )


def paper(costs: CostParameters = FREE) -> PaperExchange:
    return PaperExchange({SYMBOL: instrument()}, deposit=Decimal(10_000), costs=costs)


def entry(side: Side = Side.LONG, quantity: str = "10") -> SubmitEntry:
    return SubmitEntry(
        position_id="p", client_order_id="ps-x-e1", symbol=SYMBOL, side=side, quantity=Decimal(quantity)
    )


def close(side: Side = Side.LONG, quantity: str = "10") -> CloseAtMarket:
    return CloseAtMarket(
        position_id="p", client_order_id="ps-x-c1", symbol=SYMBOL, side=side, quantity=Decimal(quantity)
    )


def conditional(role: Role, trigger: str, side: Side = Side.LONG) -> PlaceConditional:
    return PlaceConditional(
        position_id="p",
        client_order_id=f"ps-x-{role}1",
        symbol=SYMBOL,
        side=side,
        role=role,
        trigger_price=Decimal(trigger),
    )


def fills(reports: Sequence[Report]) -> list[OrderFilled]:
    return [each for each in reports if isinstance(each, OrderFilled)]


def account(reports: Sequence[Report]) -> AccountRead:
    (read,) = (each for each in reports if isinstance(each, AccountRead))
    return read


def bought(costs: CostParameters = FREE, *, stop: str = "99", target: str = "102") -> PaperExchange:
    venue = paper(costs)
    venue.submit(entry())
    venue.open_minute(minute((100, 101, 99.5, 100)))
    venue.submit(conditional(Role.STOP, stop))
    venue.submit(conditional(Role.TARGET, target))
    return venue


def test_an_entry_fills_at_the_next_open_worse_by_the_slippage() -> None:
    venue = paper(CostParameters(taker_fee=Decimal("0.0005"), slippage=Decimal("0.0002")))
    assert venue.submit(entry()) == ()
    (fill,) = fills(venue.open_minute(minute((100, 101, 99, 100))))
    assert fill.price == Decimal("100.02")
    assert fill.fee == Decimal("100.02") * 10 * Decimal("0.0005")


def test_a_missing_candle_leaves_the_profit_where_it_was() -> None:
    venue = bought()
    assert account(venue.close_minute(minute((100, 101, 100, 101)))).equity == Decimal(10_010)
    assert account(venue.close_minute(minute(None))).equity == Decimal(10_010)


def test_what_is_held_is_worth_its_mark_where_one_is_known() -> None:
    venue = bought()
    marked = replace(MarketContext.unknown(1), mark=np.array([100.5]))
    assert account(venue.close_minute(minute((100, 101, 100, 101), context=marked))).equity == Decimal(10_005)
    assert account(venue.close_minute(minute(None))).equity == Decimal(10_005)


def test_an_entry_waits_while_the_candle_is_missing() -> None:
    venue = paper()
    venue.submit(entry())
    assert fills(venue.open_minute(minute(None))) == []
    assert len(fills(venue.open_minute(minute((100, 100, 100, 100))))) == 1


def test_the_stop_comes_first_when_a_candle_spans_both() -> None:
    reports = bought().close_minute(minute((100, 103, 98, 102)))
    (fill,) = fills(reports)
    assert fill.price == Decimal(99)
    assert fill.client_order_id == "ps-x-s1"


def test_a_stop_jumped_over_fills_at_the_open() -> None:
    (fill,) = fills(bought().close_minute(minute((97, 98, 96, 97))))
    assert fill.price == Decimal(97)


def test_a_target_never_fills_better_than_its_trigger() -> None:
    (fill,) = fills(bought().close_minute(minute((104, 105, 103, 104))))
    assert fill.price == Decimal(102)


def test_a_triggered_order_says_so_before_and_after_its_fill() -> None:
    reports = bought().close_minute(minute((100, 103, 99.5, 102)))
    statuses = [each.status for each in reports if isinstance(each, ConditionalChanged)]
    assert statuses == [ConditionalStatus.TRIGGERED, ConditionalStatus.FINISHED]


def test_a_close_never_exceeds_what_is_held() -> None:
    venue = bought()
    venue.submit(close(quantity="25"))
    (fill,) = fills(venue.open_minute(minute((100, 100, 100, 100))))
    assert fill.quantity == Decimal(10)
    assert account(venue.close_minute(minute((100, 100, 100, 100)))).positions == ()


def test_funding_is_paid_by_the_long_when_the_rate_is_positive() -> None:
    context = replace(MarketContext.unknown(1), mark=np.array([100.0]), funding_rate=np.array([0.0001]))
    reports = bought().close_minute(minute((100, 101, 99.5, 100), at=T0, context=context))
    assert [each.amount for each in reports if isinstance(each, FundingPaid)] == [Decimal("-0.1000")]


def test_funding_settles_when_the_contract_says() -> None:
    context = replace(MarketContext.unknown(1), mark=np.array([100.0]), funding_rate=np.array([0.0001]))
    for hours, times in ((8, 1), (4, 2), (1, 8)):
        venue, paid = bought(), 0
        venue.follow({SYMBOL: replace(instrument(), funding_interval_ms=hours * HOUR)})
        for hour in range(1, 9):
            reports = venue.close_minute(
                minute((100, 101, 99.5, 100), at=T0 - 8 * HOUR + hour * HOUR, context=context)
            )
            paid += sum(isinstance(each, FundingPaid) for each in reports)
        assert paid == times


prices = st.decimals("50", "150", places=2)


@given(
    side=st.sampled_from(Side), opened=prices, closed=prices, quantity=st.decimals("0.01", "100", places=2)
)
def test_equity_moves_by_pnl_less_fees_and_nothing_else(
    side: Side, opened: Decimal, closed: Decimal, quantity: Decimal
) -> None:
    venue = paper(CostParameters(taker_fee=Decimal("0.0005"), slippage=Decimal("0.0002")))
    venue.submit(entry(side, str(quantity)))
    (into,) = fills(venue.open_minute(minute((float(opened),) * 4)))
    venue.submit(close(side, str(quantity)))
    (out,) = fills(venue.open_minute(minute((float(closed),) * 4)))
    read = account(venue.close_minute(minute((float(closed),) * 4)))
    expected = (out.price - into.price) * side * quantity - into.fee - out.fee
    assert abs(read.equity - 10_000 - expected) < Decimal("1e-12")
    assert read.wallet == read.equity


def trail(trigger: str, quantity: str = "10") -> PlaceConditional:
    return replace(conditional(Role.TRAIL, trigger), quantity=Decimal(quantity))


def test_prices_reach_the_tighter_stop_first() -> None:
    venue = bought()
    venue.submit(trail("100.12"))
    (fill,) = fills(venue.close_minute(minute((101, 101, 98, 98.5))))
    assert (fill.price, fill.client_order_id) == (Decimal("100.12"), "ps-x-r1")


def test_targets_of_parts_close_their_parts_nearest_first() -> None:
    venue = bought(target="103")
    venue.submit(replace(conditional(Role.TARGET, "101"), client_order_id="ps-x-t2", quantity=Decimal(4)))
    reports = venue.close_minute(minute((100, 104, 99.5, 103.5)))
    assert [(each.price, each.quantity) for each in fills(reports)] == [
        (Decimal(101), Decimal(4)),
        (Decimal(103), Decimal(6)),
    ]


def test_what_an_earlier_process_held_is_held_again_with_what_protected_it() -> None:
    venue = paper()
    venue.restore([position(plan())])
    assert [
        each.quantity for each in account(venue.close_minute(minute((100, 100, 100, 100)))).positions
    ] == [10]
    (fill,) = fills(venue.close_minute(minute((97, 98, 96, 97), at=T0 + 2 * MINUTE)))
    assert (fill.price, fill.client_order_id) == (Decimal(97), "stop")


def test_a_question_is_answered_with_what_rests() -> None:
    venue = bought()
    query = QueryOrder(position_id="p", client_order_id="ps-x-s1", symbol=SYMBOL, role=Role.STOP)
    (found,) = venue.submit(query)
    assert isinstance(found, ConditionalChanged)
    assert found.status is ConditionalStatus.NEW
    (absent,) = venue.submit(replace(query, client_order_id="ps-x-s9"))
    assert isinstance(absent, OrderAbsent)


def test_what_is_held_of_a_contract_that_trades_no_more_is_settled_at_its_last_mark() -> None:
    venue = bought()
    venue.close_minute(minute((100, 101, 100, 101)))
    venue.follow({SYMBOL: instrument(status=InstrumentStatus.SETTLING)})
    venue.submit(close())
    (fill,) = fills(venue.open_minute(minute(None)))
    assert (fill.price, fill.realised_pnl) == (Decimal(101), Decimal(10))
    assert account(venue.close_minute(minute(None))).positions == ()


def test_an_entry_on_a_contract_that_trades_no_more_comes_to_nothing() -> None:
    venue = paper()
    venue.submit(entry())
    venue.follow({})
    (ended,) = venue.open_minute(minute(None))
    assert isinstance(ended, OrderEnded)
    assert ended.filled == 0


def test_new_filters_count_for_the_next_fill() -> None:
    venue = paper(CostParameters(taker_fee=Decimal(0), slippage=Decimal("0.00031")))
    venue.follow({SYMBOL: replace(instrument(), tick_size=Decimal("0.5"))})
    venue.submit(entry())
    (fill,) = fills(venue.open_minute(minute((100, 101, 99, 100))))
    assert fill.price == Decimal("100.5")
