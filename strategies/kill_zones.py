"""Kill zones: the hours of New York time in which the day's liquidity is said to be taken."""

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.market import MINUTE_MS

NEW_YORK = ZoneInfo("America/New_York")
HOUR_MS = 60 * MINUTE_MS


class KillZone(StrEnum):
    """Sessions by New York wall clock, daylight saving included."""

    ASIA = "asia"
    LONDON = "london"
    NEW_YORK_AM = "new_york_am"
    LONDON_CLOSE = "london_close"


HOURS = {
    KillZone.ASIA: range(20, 24),
    KillZone.LONDON: range(2, 5),
    KillZone.NEW_YORK_AM: range(7, 10),
    KillZone.LONDON_CLOSE: range(10, 12),
}


def kill_zone(at_ms: int) -> KillZone | None:
    """Return the zone that ``at_ms`` lies in; New York's offset is in whole hours, so hours decide."""
    return _zone_of_hour(at_ms // HOUR_MS)


@lru_cache(maxsize=64)
def _zone_of_hour(hour: int) -> KillZone | None:
    local = datetime.fromtimestamp(hour * HOUR_MS / 1000, tz=UTC).astimezone(NEW_YORK)
    return next((zone for zone, hours in HOURS.items() if local.hour in hours), None)
