"""What one run of the simulated exchange is made of."""

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from core.errors import SettingsError
from exchange.sim.market.recorded import RecordedCandles

DEFAULT_START_MS = 1_764_547_200_000
"""2025-12-01 00:00 UTC: the seeded market begins there, so that runs of one seed see the same hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimConfig:
    """``port`` 0 takes a free one; ``speed`` is market seconds a second, 0 as fast as clients can read.

    ``symbols`` and ``history_bars`` (closed candles before minute 0) are ignored with ``candles``.
    ``minutes`` is how many market minutes pass before the market holds still, ``None`` for ever;
    ``fault_seed`` switches the default mix of faults on. ``listings`` and ``delistings`` name symbols and
    the market minute in which they begin or cease to trade. Raises ``SettingsError`` for what can not be.
    """

    host: str = "127.0.0.1"
    port: int = 0
    speed: float = 1.0
    symbols: int = 650
    seed: int = 0
    history_bars: int = 1500
    candles: RecordedCandles | None = None
    start_ms: int | None = None
    minutes: int | None = None
    fault_seed: int | None = None
    deposit: Decimal = Decimal(10_000)
    weight_limit: int = 2400
    listings: tuple[tuple[str, int], ...] = ()
    delistings: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if not (isfinite(self.speed) and self.speed >= 0):
            raise SettingsError(f"the market's speed must be 0 or more, not {self.speed}")
        if not 0 <= self.port <= 65_535:
            raise SettingsError(f"a port lies between 0 and 65535, {self.port} does not")
        if self.minutes is not None and self.minutes < 0:
            raise SettingsError(f"the market can not run for {self.minutes} minutes")
        if self.start_ms is not None and self.start_ms < 0:
            raise SettingsError("the market can not start before 1970")
        if self.deposit < 0:
            raise SettingsError(f"an account can not begin with {self.deposit} USDT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Where a running simulator listens and how to sign for its first account."""

    rest: str
    ws: str
    api_key: str
    api_secret: str
    symbols: int
    speed: float
