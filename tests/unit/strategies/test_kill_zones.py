"""Kill zones follow New York through summer and winter."""

from datetime import UTC, datetime

import pytest

from strategies.kill_zones import KillZone, kill_zone


@pytest.mark.parametrize(
    ("moment", "zone"),
    [
        ("2025-07-01T06:00", KillZone.LONDON),  # summer: New York is four hours behind
        ("2025-01-15T06:00", None),  # winter: five
        ("2025-01-15T07:00", KillZone.LONDON),
        ("2025-07-01T00:30", KillZone.ASIA),
        ("2025-07-01T04:00", None),
        ("2025-07-01T11:00", KillZone.NEW_YORK_AM),
        ("2025-07-01T13:59", KillZone.NEW_YORK_AM),
        ("2025-07-01T14:00", KillZone.LONDON_CLOSE),
        ("2025-07-01T16:00", None),
    ],
)
def test_zones_follow_new_york_through_summer_and_winter(moment: str, zone: KillZone | None) -> None:
    at_ms = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)
    assert kill_zone(at_ms) is zone


def test_the_night_that_clocks_go_forward_has_no_lost_hour() -> None:
    before, after = (datetime(2025, 3, 9, hour, 30, tzinfo=UTC).timestamp() for hour in (6, 7))
    assert kill_zone(int(before * 1000)) is None  # 01:30
    assert kill_zone(int(after * 1000)) is KillZone.LONDON  # 03:30
