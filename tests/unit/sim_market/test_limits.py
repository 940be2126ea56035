"""Request weight, bans and order counts."""

import csv
import re
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.market import MINUTE_MS
from exchange.sim.server.limits import OrderCounter, WeightLimiter
from exchange.sim.server.refusals import Refusal
from exchange.sim.server.stepper import MarketTime
from exchange.sim.server.weights import weight_of
from exchange.sim.trading_api import ROUTES
from tests.unit.sim_market.markets import pass_minutes, seeded_market

HERE = "10.0.0.1"


def limiter(*, speed: float = 1.0, limit: int = 100) -> tuple[WeightLimiter, MarketTime, ManualClock]:
    clock = ManualClock(1_000_000)
    time = MarketTime(seeded_market(symbols=1), clock, speed=speed, minutes=0)
    return WeightLimiter(time, limit=limit), time, clock


def refusal_of(weights: WeightLimiter, weight: int) -> Refusal:
    with pytest.raises(Refusal) as refused:
        weights.charge(HERE, weight)
    return refused.value


def test_weight_adds_up_within_a_minute_and_starts_again_with_the_next() -> None:
    weights, _, clock = limiter()
    assert [weights.charge(HERE, 10) for _ in range(3)] == [10, 20, 30]
    clock.advance_to(clock.wire_ms() + MINUTE_MS)
    assert weights.used(HERE) == 0
    assert weights.charge(HERE, 1) == 1


def test_addresses_do_not_share_their_weight() -> None:
    weights, _, _ = limiter()
    weights.charge(HERE, 100)
    assert weights.charge("10.0.0.2", 100) == 100


def test_beyond_the_limit_a_call_is_refused_until_the_minute_ends() -> None:
    weights, _, _ = limiter()
    weights.charge(HERE, 100)
    refused = refusal_of(weights, 1)
    assert (refused.http_status, refused.code) == (429, -1003)
    assert 0 < refused.retry_after <= 60


def test_who_does_not_stop_is_banned_and_each_ban_is_longer() -> None:
    weights, _, clock = limiter()
    lengths = []
    for _ in range(3):
        while refusal_of(weights, 1000).http_status != 418:
            pass
        refused = refusal_of(weights, 1)
        assert f"banned until {clock.wire_ms() + refused.retry_after * 1000}" in refused.message
        lengths.append(refused.retry_after)
        clock.advance_to(clock.wire_ms() + refused.retry_after * 1000)
        assert weights.charge(HERE, 1) == 1
    assert lengths == [120, 240, 480]


def test_waiting_is_told_in_machine_time() -> None:
    weights, _, _ = limiter(speed=60.0)
    weights.charge(HERE, 100)
    assert refusal_of(weights, 1).retry_after == 1


def test_a_market_on_the_move_counts_by_its_own_minutes() -> None:
    market = seeded_market(symbols=1)
    time = MarketTime(market, ManualClock(), speed=60.0, minutes=None)
    weights = WeightLimiter(time, limit=100)
    weights.charge(HERE, 100)
    pass_minutes(market, 1)
    assert weights.charge(HERE, 100) == 100


def test_orders_are_counted_in_both_windows_and_the_shorter_fills_first() -> None:
    clock = ManualClock()
    orders = OrderCounter(MarketTime(seeded_market(symbols=1), clock, speed=1.0, minutes=0))
    for _ in range(300):
        orders.charge("me", ten_seconds=1, minute=1)
    assert orders.headers("me") == {"X-MBX-ORDER-COUNT-10S": "300", "X-MBX-ORDER-COUNT-1M": "300"}
    with pytest.raises(Refusal, match="300 orders per TEN_SECONDS"):
        orders.charge("me", ten_seconds=1, minute=1)
    clock.advance_to(10_000)
    orders.charge("me", ten_seconds=1, minute=1)
    assert orders.headers("me")["X-MBX-ORDER-COUNT-10S"] == "1"


@pytest.mark.parametrize(
    ("limit", "weight"), [("1", 1), ("99", 1), ("100", 2), ("499", 2), ("500", 5), ("1000", 5), ("1001", 10)]
)
def test_candles_weigh_by_their_number(limit: str, weight: int) -> None:
    assert weight_of("GET", "/fapi/v1/klines", {"limit": limit}) == weight


def test_candles_without_a_number_weigh_as_five_hundred() -> None:
    assert weight_of("GET", "/fapi/v1/klines", {}) == 5


def test_a_whole_market_weighs_more_than_a_symbol_and_orders_nothing() -> None:
    assert weight_of("GET", "/fapi/v1/ticker/24hr", {}) == 40
    assert weight_of("GET", "/fapi/v1/ticker/24hr", {"symbol": "BTCUSDT"}) == 1
    assert weight_of("POST", "/fapi/v1/order", {}) == 0
    assert weight_of("GET", "/fapi/v1/order", {}) == 1


WEIGHTS = Path(__file__).parents[4] / "shared" / "reference" / "binance_weights.csv"


def documented_weights() -> list[tuple[str, str, int]]:
    with WEIGHTS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    plain = [(row["endpoint"].split(), re.fullmatch(r"Weight\(IP\): (\d+)", row["weight"])) for row in rows]
    return [(call[0], call[1], int(found[1])) for call, found in plain if found and len(call) == 2]


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the table of weights is not beside the project")
def test_every_answered_call_weighs_what_the_documentation_says() -> None:
    answered = {call for call in documented_weights() if (call[0], call[1]) in ROUTES}
    assert len(answered) > 30
    wrong = {call: weight_of(call[0], call[1], {}) for call in answered}
    whole_market = {"/fapi/v1/symbolAdlRisk"}
    assert {c: w for c, w in wrong.items() if w != c[2] and c[1] not in whole_market} == {}
