"""The live view leaves the terminal as it found it."""

from io import StringIO

import pytest
from rich.console import Console
from rich.panel import Panel

from cli.watch import Watch, above_typing
from core.clock import ManualClock
from core.market import MINUTE_MS
from core.notices import Alert, Severity
from tests.builders import T0


def test_what_the_terminal_echoes_has_a_line_of_its_own_below_the_picture() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=40)
    lines = console.render_lines(above_typing(Panel("as wide as the terminal")), pad=False)
    widths = [sum(segment.cell_length for segment in line) for line in lines]
    assert widths == [40, 40, 40, 0]


def test_what_is_told_late_bears_the_time_at_which_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch("demo", minutes=None, clock=ManualClock())
    for minute in (7, 0, 8):
        watch.notify(Alert(key="foreign_fill", severity=Severity.INFO, at=T0 + minute * MINUTE_MS))
    assert [line[6:11] for line in capsys.readouterr().err.splitlines()] == ["00:07", "00:07", "00:08"]
