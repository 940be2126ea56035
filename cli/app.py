"""The command line: a stable contract, see docs/commands.md. Parses, checks, and calls one action."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer
import typer.main
from typer.exceptions import TyperException

from cli.options import (
    DemoOptions,
    DownloadOptions,
    ReplayOptions,
    ScanOptions,
    SimOptions,
    TradeOptions,
    TradesOptions,
    Upkeep,
    moment,
)
from core.errors import ModeRefused, PerpscoutError, RestartNeeded
from core.positions import Source
from core.settings import Mode

TRY_AGAIN = 75
"""The exit code of a run that is to be started again; sysexits.h calls it EX_TEMPFAIL."""
_CHECKERS_PREFIX = "Value error, "  # the library's that checks options: nothing to whoever mistyped one


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What each command does; the composition root supplies them. Each returns the exit code."""

    demo: Callable[[DemoOptions], int]
    sim: Callable[[SimOptions], int]
    replay: Callable[[ReplayOptions], int]
    trade: Callable[[TradeOptions], int]
    scan: Callable[[ScanOptions], int]
    download: Callable[[DownloadOptions], int]
    trades: Callable[[TradesOptions], int]
    config: Callable[[], int]
    version: Callable[[], int]


def _loopback(host: str) -> str:
    """The simulator speaks without encryption and prints its keys: nobody else is to hear it."""
    try:
        if host == "localhost" or ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise typer.BadParameter(f"{host} is not this machine's own address: use 127.0.0.1, ::1 or localhost")


def _moment(text: str) -> int:
    try:
        return moment(text)
    except ValueError as error:
        message = f"{text!r} is no time: write 2025-05-20, 2025-05-20T14:30 (UTC) or milliseconds"
        raise typer.BadParameter(message) from error


DemoSpeed = Annotated[  # faster, and the market outruns the orders: fills come minutes after their decision
    float, typer.Option(min=1, max=3600, help="Market minutes a minute.")
]
Speed = Annotated[
    float, typer.Option(min=0, max=100_000, help="Market minutes a minute; 0 is as fast as possible.")
]
DRAWN = 650
Symbols = Annotated[
    int | None,
    typer.Option(min=1, max=1000, show_default=str(DRAWN), help="How many contracts a drawn market has."),
]
Seed = Annotated[int, typer.Option(min=0, help="Draws the market; the same seed, the same market.")]
Data = Annotated[
    Path | None, typer.Option(help="Parquet file of recorded 1m candles to play instead of a drawn market.")
]
From = Annotated[
    int | None,
    typer.Option("--from", parser=_moment, metavar="TIME", help="First minute: ISO 8601 in UTC, or ms."),
]
To = Annotated[
    int | None,
    typer.Option(
        "--to", parser=_moment, metavar="TIME", help="Minute to stop before: ISO 8601 in UTC, or ms."
    ),
]
ChosenMode = Annotated[
    Mode | None, typer.Option("--mode", help="sim, paper, testnet or live; else PERPSCOUT_MODE.")
]
Out = Annotated[Path | None, typer.Option(help="Folder for what the run writes; a fresh one by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]


def _drawn(symbols: int | None, data: Path | None) -> int:
    """Return how many contracts to draw; a recording has those that it has."""
    if symbols is not None and data is not None:
        raise typer.BadParameter(
            "--symbols is about a drawn market, and --data plays all that it holds: leave out one of them"
        )
    return DRAWN if symbols is None else symbols


def run_app(actions: Actions, arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 done, 1 failed, 2 wrong use."""
    command = typer.main.get_command(build_app(actions))
    try:
        outcome = command.main(args=arguments, prog_name="main_v3.py", standalone_mode=False)
    except TyperException as fault:
        return _complain(fault.format_message().replace(_CHECKERS_PREFIX, ""), fault.exit_code)
    except ModeRefused as fault:
        return _complain(str(fault), 2)
    except RestartNeeded as fault:
        return _complain(str(fault), TRY_AGAIN)
    except PerpscoutError as fault:
        return _complain(str(fault), 1)
    except (typer.Abort, KeyboardInterrupt):
        return _complain("Interrupted.", 130)
    except OSError as fault:
        where = f"{fault.filename}: " if fault.filename else ""
        return _complain(f"{where}{fault.strerror or fault}.", 1)
    return outcome if isinstance(outcome, int) else 0


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(sentence.strip() + "\n")
    return code


def build_app(actions: Actions) -> typer.Typer:
    """Return the command line over the given actions."""
    app = typer.Typer(
        add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Scan every Binance USDT perpetual each minute, trade the best signals, learn from them.",
    )  # fmt: skip
    _add_demo(app, actions)
    _add_sim(app, actions)
    _add_replay(app, actions)
    _add_trade(app, actions)
    _add_trades(app, actions)
    _add_scan(app, actions)
    _add_download(app, actions)
    app.command(help="Show the settings in force, secrets masked.")(_exiting(actions.config))
    app.command(help="Print the version.")(_exiting(actions.version))
    return app


def _exiting(action: Callable[[], int]) -> Callable[[], None]:
    def command() -> None:
        raise typer.Exit(action())

    command.__name__ = action.__name__
    return command


def _add_demo(app: typer.Typer, actions: Actions) -> None:
    @app.command(help="Start a simulated exchange and trade on it: the whole product in one command.")
    def demo(
        minutes: Annotated[int, typer.Option(min=1, max=100_000, help="Market minutes to run.")] = 240,
        speed: DemoSpeed = 60,
        symbols: Symbols = None,
        seed: Seed = 1,
        data: Data = None,
        start: From = None,
        out: Out = None,
        as_json: Json = False,
    ) -> None:
        options = DemoOptions(
            minutes=minutes, speed=speed, symbols=_drawn(symbols, data), seed=seed, data=data, start=start,
            out=out, as_json=as_json,
        )  # fmt: skip
        raise typer.Exit(actions.demo(options))


def _add_sim(app: typer.Typer, actions: Actions) -> None:
    @app.command(help="Serve a Binance-compatible exchange on loopback until told to stop.")
    def sim(  # noqa: PLR0913, PLR0917 - one parameter an option
        host: Annotated[
            str, typer.Option(parser=_loopback, metavar="HOST", help="Loopback address.")
        ] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65_535, help="0 lets the system choose.")] = 8650,
        speed: Speed = 1,
        symbols: Symbols = None,
        seed: Seed = 1,
        data: Data = None,
        start: From = None,
        faults: Annotated[
            int | None, typer.Option(min=0, help="Seed of a storm of faults; none by default.")
        ] = None,
        with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
        as_json: Json = False,
    ) -> None:
        options = SimOptions(
            host=host, port=port, speed=speed, symbols=_drawn(symbols, data), seed=seed, data=data,
            start=start, faults=faults, with_parent=with_parent, as_json=as_json,
        )  # fmt: skip
        raise typer.Exit(actions.sim(options))


def _add_replay(app: typer.Typer, actions: Actions) -> None:
    @app.command(help="Trade recorded candles on paper, in process, as fast as it goes.")
    def replay(
        data: Annotated[Path, typer.Option(help="Parquet file of recorded 1m candles.")],
        start: From = None,
        end: To = None,
        symbols: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
        out: Out = None,
        as_json: Json = False,
    ) -> None:
        _check_order(start, end)
        chosen = _names(symbols)
        options = ReplayOptions(data=data, start=start, end=end, symbols=chosen, out=out, as_json=as_json)
        raise typer.Exit(actions.replay(options))


def _add_download(app: typer.Typer, actions: Actions) -> None:
    @app.command("download-data", help="Fetch 1m candles for research; begin again where it was interrupted.")
    def download_data(
        symbols: Annotated[str, typer.Option(help="Separated by commas, or all.")] = "all",
        start: From = None,
        end: To = None,
        out: Annotated[
            Path | None, typer.Option(help="A .parquet file or a folder; else the account's own archive.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        _check_order(start, end)
        chosen = () if symbols.strip().lower() == "all" else _names(symbols)
        options = DownloadOptions(symbols=chosen, start=start, end=end, out=out, as_json=as_json)
        raise typer.Exit(actions.download(options))


def _check_order(start: int | None, end: int | None) -> None:
    if start is not None and end is not None and end <= start:
        raise typer.BadParameter("--to must be later than --from")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().upper() for name in text.split(",") if name.strip())


def _add_trade(app: typer.Typer, actions: Actions) -> None:
    @app.command(help="Trade until stopped. Real money moves only where the settings say so twice.")
    def trade(
        mode: ChosenMode = None,
    ) -> None:
        raise typer.Exit(actions.trade(TradeOptions(mode=mode)))


def _add_trades(app: typer.Typer, actions: Actions) -> None:
    @app.command(help="Show what is open, what was closed, and what it adds up to. Reads, never trades.")
    def trades(
        journal: Annotated[
            Path | None, typer.Option(help="A run's journal.db; the one written last by default.")
        ] = None,
        source: Annotated[Source | None, typer.Option(help="Only this book.")] = None,
        last: Annotated[int, typer.Option(min=1, max=10_000, help="Closed trades to show.")] = 20,
        rebuild: Annotated[
            bool, typer.Option("--rebuild", help="Make the trade log anew from the journal.")
        ] = False,
        compact: Annotated[
            bool, typer.Option("--compact", help="Merge the trade log's parts, day by day.")
        ] = False,
        verify: Annotated[
            bool,
            typer.Option("--verify", help="Check every record of the journal, and name what is damaged."),
        ] = False,
        as_json: Json = False,
    ) -> None:
        wanted = [
            each for each, is_wanted in zip(Upkeep, (rebuild, compact, verify), strict=True) if is_wanted
        ]
        if len(wanted) > 1:
            raise typer.BadParameter(f"--{wanted[0]} and --{wanted[1]} are two things: ask for one of them")
        options = TradesOptions(
            journal=journal, source=source, last=last, as_json=as_json, upkeep=next(iter(wanted), None)
        )
        raise typer.Exit(actions.trades(options))


def _add_scan(app: typer.Typer, actions: Actions) -> None:
    @app.command(help="Look at the whole market once and rank what is there. Never trades.")
    def scan(
        mode: ChosenMode = None,
        top: Annotated[int, typer.Option(min=1, max=1000, help="Rows to show, near misses included.")] = 10,
        explain: Annotated[
            str | None,
            typer.Option(metavar="SYMBOL", help="Every gate and factor of a symbol, and a chart of it."),
        ] = None,
        symbols: Symbols = None,
        seed: Seed = 1,
        data: Data = None,
        start: From = None,
        as_json: Json = False,
    ) -> None:
        options = ScanOptions(
            mode=mode, top=top, explain=explain.strip().upper() if explain else None,
            symbols=_drawn(symbols, data), seed=seed, data=data, start=start, as_json=as_json,
        )  # fmt: skip
        raise typer.Exit(actions.scan(options))
