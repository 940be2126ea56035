"""What one seed has in store: which faults, how often, how slow the network is, how the market moves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.market import MINUTE_MS
from core.rng import seeded
from exchange.sim.config import DEFAULT_START_MS
from exchange.sim.server.faults.catalogue import Fault, MarketFault, MinuteFault, RestFault, StreamFault
from exchange.sim.server.faults.plan import Rule
from tests.faults.deeds import Appointment, draw_deeds

PATHS = (
    "POST /fapi/v1/order",
    "GET /fapi/v1/order",
    "POST /fapi/v1/algoOrder",
    "GET /fapi/v1/algoOrder",
    "DELETE /fapi/v1/algoOrder",
    "/fapi/v1/userTrades",
    "/fapi/v3/positionRisk",
    "/fapi/v3/account",
    "/fapi/v1/listenKey",
    "",
)
"""Where a fault may strike; the last is anywhere."""

REFUSALS: Mapping[str, tuple[int, ...]] = {
    "POST /fapi/v1/order": (-2019, -2022, -4164, -1111, -4116, -2027, -1000),
    "POST /fapi/v1/algoOrder": (-2021, -4045, -4509, -4130, -1111, -2022),
    "DELETE /fapi/v1/algoOrder": (-2011, -1000),
    "/fapi/v1/leverage": (-4028, -4161),
    "/fapi/v1/marginType": (-4046, -4048),
}

_ANYWHERE = (
    RestFault.LOSE_REQUEST,
    RestFault.LOSE_REPLY,
    RestFault.LATE_REPLY,
    RestFault.UNKNOWN_503,
    RestFault.UNAVAILABLE_503,
    RestFault.GATEWAY_HTML,
    RestFault.ERROR_1000,
    RestFault.ERROR_1001,
    RestFault.ERROR_1006,
    RestFault.ERROR_1007,
    RestFault.OVERLOADED_1008,
    RestFault.CLOCK_SKEW,
    RestFault.KEY_REVOKED,
    RestFault.TOO_MANY_REQUESTS,
    RestFault.FIREWALL_403,
    RestFault.FIELD_MISSING,
    RestFault.FIELD_RENAMED,
    RestFault.FIELD_NULL,
    RestFault.PARTIAL_PAGE,
    RestFault.ROW_MISSING,
    RestFault.ROW_TWICE,
    RestFault.ROWS_UNSORTED,
    RestFault.SETTING_IGNORED,
)
_OF_STREAMS = (
    StreamFault.EVENT_MISSING,
    StreamFault.EVENT_TWICE,
    StreamFault.EVENT_LATE,
    StreamFault.EVENTS_SWAPPED,
    StreamFault.EVENT_AGAIN,
    StreamFault.EVENT_MALFORMED,
    StreamFault.EVENT_FOREIGN,
    StreamFault.LISTEN_KEY_EXPIRED,
)
_OF_MINUTES = (
    MinuteFault.PRICE_SPIKE,
    MinuteFault.TRIGGERS_STUCK,
    MinuteFault.CONDITIONAL_CANCELLED,
    MinuteFault.STREAMS_CUT,
    MinuteFault.STREAMS_SILENT,
    MinuteFault.HEDGE_SWITCHED,
    MinuteFault.MULTI_ASSETS_SWITCHED,
    MinuteFault.FILTERS_CHANGED,
    MinuteFault.DELISTED,
    MinuteFault.MANUAL_TRADE,
    MinuteFault.DELEVERAGED,
)
_SECONDS = (0.2, 1.0, 3.0, 10.0)
_STREAMED = 0.2
"""Share of the storms in which candles come the long way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """One seed's storm.

    ``latency`` bounds each way of a request, in seconds; ``order`` is as in ``StormLoop``; ``crashes`` are
    the steps of I/O at which one life of the trader after the other ends; ``disk_full`` is from when to
    when (monotonic seconds) nothing can be written down, ``bad_writes`` numbers the transactions of each life
    that fail by themselves. ``begins_at`` is the market's first minute (ms): before midnight, funding
    settles, the day turns and the contracts are looked at in the storm. ``moves_money``: somebody does.
    ``streams_candles``: minutes come from the streams, where faults strike them too, not straight from the
    market.
    """

    seed: int
    rules: tuple[Rule, ...] = ()
    latency: tuple[float, float] = (0.005, 0.02)
    order: int | None = None
    volatility: float = 0.012
    crashes: tuple[int, ...] = ()
    disk_full: tuple[float, float] = (0.0, 0.0)
    bad_writes: frozenset[int] = frozenset()
    begins_at: int = DEFAULT_START_MS
    moves_money: bool = False
    deeds: tuple[Appointment, ...] = ()
    streams_candles: bool = False


def draw_weather(seed: int) -> Weather:
    """Draw a storm. Most seeds have few kinds of faults: a mix of all would hide what each does alone."""
    rng = seeded(seed)
    intensity = float(10 ** rng.uniform(-2.7, -1.1))
    slowest = float(10 ** rng.uniform(-2, 0))
    weather = Weather(
        seed=seed,
        rules=(*_aimed(rng), *_scattered(rng, intensity)),
        latency=(0.002, slowest),
        order=seed if rng.random() < 0.7 else None,
        volatility=float(rng.choice((0.004, 0.012, 0.03))),
        crashes=tuple(_crashes(rng)),
        disk_full=_disk_full(rng),
        bad_writes=_bad_writes(rng),
        begins_at=DEFAULT_START_MS - int(rng.integers(0, 10)) * MINUTE_MS,
        moves_money=bool(rng.random() < 0.5),
        deeds=tuple(draw_deeds(rng)),
    )
    if rng.random() > _STREAMED:
        return weather
    return replace(weather, streams_candles=True, rules=(*weather.rules, *_of_candles(rng)))


def _of_candles(rng: np.random.Generator) -> Iterator[Rule]:
    """Yield faults that strike closed candles on their way."""
    share = rng.choice((0.2, 0.5))
    for fault in MarketFault:
        if rng.random() < share:
            yield _rule(rng, fault, rate=rng.uniform(0.01, 0.1))


def _crashes(rng: np.random.Generator) -> Iterator[int]:
    """Let one life in three end early, and some of the next ones while they still recover."""
    while rng.random() < 0.33:
        yield int(rng.integers(1, 400 if rng.random() < 0.7 else 60))


def _disk_full(rng: np.random.Generator) -> tuple[float, float]:
    """Let the disk be full for a while in one storm of six."""
    if rng.random() > 1 / 6:
        return (0.0, 0.0)
    begins = float(rng.uniform(5, 65))
    return begins, begins + float(rng.uniform(0.5, 12))


def _bad_writes(rng: np.random.Generator) -> frozenset[int]:
    """Let a few single writes fail in one storm of six."""
    if rng.random() > 1 / 6:
        return frozenset()
    return frozenset(int(each) for each in rng.integers(1, 400, size=int(rng.integers(1, 5))))


def _scattered(rng: np.random.Generator, intensity: float) -> Iterator[Rule]:
    """Yield faults that may strike anything at any time."""
    share = rng.choice((0.1, 0.3, 0.6))
    for fault in (*_ANYWHERE, *_OF_STREAMS):
        if rng.random() < share:
            yield _rule(rng, fault, rate=intensity * rng.uniform(0.3, 1.0))
    for befalling in _OF_MINUTES:
        if rng.random() < share:
            yield _rule(rng, befalling, rate=rng.uniform(0.02, 0.2))
    if rng.random() < share:
        yield Rule(fault=RestFault.BAN, rate=intensity / 20, times=1)
    if rng.random() < share:
        yield Rule(fault=RestFault.NOT_FOUND_YET, rate=rng.uniform(0.01, 0.1), match="GET /fapi/v1/")


def _aimed(rng: np.random.Generator) -> Iterator[Rule]:
    """Yield faults that strike one kind of request, the first few times or now and then."""
    for _ in range(int(rng.integers(0, 4))):
        match = str(rng.choice(PATHS))
        numbers = frozenset(int(each) for each in rng.integers(1, 9, size=int(rng.integers(1, 4))))
        yield _rule(rng, _ANYWHERE[int(rng.integers(len(_ANYWHERE)))], match=match, at=numbers)
    for match, codes in REFUSALS.items():
        if rng.random() < 0.25:
            yield Rule(
                fault=RestFault.REFUSED, match=match, code=int(rng.choice(codes)), rate=rng.uniform(0.05, 0.4)
            )


def _rule(
    rng: np.random.Generator,
    fault: Fault,
    *,
    rate: float = 0.0,
    match: str = "",
    at: frozenset[int] = frozenset(),
) -> Rule:
    return Rule(
        fault=fault,
        rate=float(rate),
        match=match,
        at=at,
        seconds=float(rng.choice(_SECONDS)),
        executed=bool(rng.random() < 0.6),
    )
