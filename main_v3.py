"""The composition root's door: reads the settings and hands each command to its room in ``wiring/``."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.app import Actions, run_app
from cli.folders import fresh_folder
from cli.options import (
    DemoOptions,
    DownloadOptions,
    MarketOptions,
    ReplayOptions,
    ScanOptions,
    SimOptions,
    TradeOptions,
    TradesOptions,
)
from core.clock import SystemClock
from core.errors import ModeRefused
from core.settings import Mode, Settings, env_name, load_settings

ROOT = Path(__file__).resolve().parent

# The rooms are imported where they are entered: ccxt, numba and matplotlib take seconds to load, and
# `version` or a mistyped option must not wait for them.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    actions = Actions(
        demo=demo,
        sim=sim,
        replay=replay,
        trade=trade,
        trades=trades,
        scan=scan,
        download=download,
        config=config,
        version=version,
    )
    return run_app(actions, arguments)


def demo(options: DemoOptions) -> int:
    clock, settings = SystemClock(), _settings().on_own_simulator()
    began = clock.monotonic()
    _check_playable(options)
    folder = fresh_folder(settings.home, "demo", now_ms=clock.wire_ms(), chosen=options.out)
    from wiring.demo import run_demo

    return asyncio.run(run_demo(settings, options, folder, began=began))


def scan(options: ScanOptions) -> int:
    clock, settings = SystemClock(), _settings(options.mode)
    began = clock.monotonic()
    _check_mode(settings)
    _check_simulated(settings, options)
    _check_playable(options)
    _check_explained(settings, options)
    folder = fresh_folder(settings.home, "scan", now_ms=clock.wire_ms())
    from wiring.scan import run_scan

    return asyncio.run(run_scan(settings, options, folder, began=began))


def trade(options: TradeOptions) -> int:
    clock, settings = SystemClock(), _settings(options.mode)
    began = clock.monotonic()
    _check_mode(settings)
    folder = settings.folder
    if settings.starts_simulator:  # whose account ends with it
        folder = fresh_folder(settings.home, "trade", now_ms=clock.wire_ms())
    from wiring.trade import run_trade

    return asyncio.run(run_trade(settings, folder, began=began))


def sim(options: SimOptions) -> int:
    from wiring.sim import serve_simulator

    return serve_simulator(options)


def download(options: DownloadOptions) -> int:
    settings = _settings()
    from wiring.download import run_download

    return asyncio.run(run_download(settings, options))


def replay(options: ReplayOptions) -> int:
    from data.candle_file import CandleFile

    clock, settings = SystemClock(), _settings().on_own_simulator()
    loaded = CandleFile.load(options.data)
    candles = loaded.only(options.symbols) if options.symbols else loaded
    start = options.start if options.start is not None else candles.first_minute_with_history()
    candles.check_span(start, candles.end_ms if options.end is None else options.end)
    folder = fresh_folder(settings.home, "replay", now_ms=clock.wire_ms(), chosen=options.out)
    from wiring.replay import run_replay

    return run_replay(settings, candles, folder, start=start, end=options.end, json_wanted=options.as_json)


def trades(options: TradesOptions) -> int:
    from cli.trades import show_trades

    return show_trades(options, _settings().home)


def config() -> int:
    from cli.settings_table import show_settings, show_strategy
    from wiring.strategies import chosen_strategies

    settings = _settings()
    show_settings(settings)
    for name, parameters in chosen_strategies(settings).described():
        show_strategy(name, parameters)
    return 0


def version() -> int:
    from cli.watch import print_result
    from wiring.version import version as number

    print_result(f"perpscout {number()}")
    return 0


def _settings(mode: Mode | None = None) -> Settings:
    """Read the settings, with another mode where one is asked for."""
    given = {**os.environ, env_name("mode"): mode.value} if mode else os.environ
    settings = load_settings(given, ROOT / ".env")
    if settings.tunings:
        from wiring.strategies import chosen_strategies

        chosen_strategies(settings)  # what can not be is refused before anything starts
    return settings


def _check_explained(settings: Settings, options: ScanOptions) -> None:
    """Refuse a symbol that our own simulator will not list, before it is started."""
    if options.explain and settings.starts_simulator:
        from cli.scan import check_explained
        from wiring.sim import listed_symbols

        check_explained(options.explain, listed_symbols(options))


def _check_playable(options: MarketOptions) -> None:
    if options.data:
        from wiring.sim import check_playable

        check_playable(options.data, options.start)


def _check_mode(settings: Settings) -> None:
    from wiring.modes import refuse_contradictions

    refuse_contradictions(settings)


def _check_simulated(settings: Settings, options: ScanOptions) -> None:
    if options.data and not settings.starts_simulator:
        raise ModeRefused("--data plays a recorded market on a simulated exchange: choose --mode sim.")


if __name__ == "__main__":
    sys.exit(main())
