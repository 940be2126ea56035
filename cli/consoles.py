"""Where results are printed: as wide as the terminal, and wide enough for every column elsewhere."""

from rich.console import Console

WIDTH_OF_A_PIPE = 170


def result_console(*, stderr: bool = False) -> Console:
    """Return a console for tables; rich takes a pipe for 80 columns and would cut them."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH_OF_A_PIPE)
