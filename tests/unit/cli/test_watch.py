"""The live view leaves the terminal as it found it."""

from io import StringIO

from rich.console import Console
from rich.panel import Panel

from cli.watch import above_typing


def test_what_the_terminal_echoes_has_a_line_of_its_own_below_the_picture() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=40)
    lines = console.render_lines(above_typing(Panel("as wide as the terminal")), pad=False)
    widths = [sum(segment.cell_length for segment in line) for line in lines]
    assert widths == [40, 40, 40, 0]
