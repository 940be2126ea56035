"""How numbers read in a terminal."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cli.options import moment
from cli.screen import sparkline
from cli.wording import bar, duration, notice_line, price
from core.notices import PositionOpened
from tests.builders import T0, position


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.0001000"), "0.0001"),
        (Decimal("103213.40"), "103213.4"),
        (Decimal("5E-8"), "0.00000005"),
        (Decimal(120), "120"),
        (Decimal("0.04052189499957932523768124071"), "0.040521895"),
        (0.02986805911, "0.0298681"),
        (103213.4499, "103213"),
        (1e-08, "0.00000001"),
    ],
)
def test_prices_read_as_on_the_exchange(value: Decimal | float, text: str) -> None:
    assert price(value) == text


def test_a_bar_is_as_long_as_its_fraction_and_never_longer_than_its_width() -> None:
    assert bar(0.5, width=4) == "██  "
    assert bar(2.0, width=4) == "████"
    assert bar(-1.0, width=4) == "    "


def test_a_sparkline_spans_its_own_range() -> None:
    assert sparkline([1.0, 2.0, 3.0]) == "▁▄█"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([5.0]) == ""


def test_durations_read_in_hours_and_minutes() -> None:
    assert duration(59 * 60_000) == "59m"
    assert duration(61 * 60_000) == "1h01m"


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1747699200000", 1747699200000),
        ("2025-05-20", 1747699200000),
        ("2025-05-20T08:00+08:00", 1747699200000),
    ],
)
def test_a_moment_is_utc_unless_it_says_otherwise(text: str, milliseconds: int) -> None:
    assert moment(text) == milliseconds


def test_an_opened_line_names_a_stop_only_where_one_rests() -> None:
    line = notice_line(PositionOpened(position=position(), at=T0))
    assert line == "opened   real LONG SOLUSDT 10 @ 100 ×3 stop 99 target 101 confidence 70"
    bare = replace(position(), stop=None)
    assert "×3 NO STOP RESTS target" in notice_line(PositionOpened(position=bare, at=T0))
