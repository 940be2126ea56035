"""The composition root's door: reads the settings and hands each command to its room in ``wiring/``."""

import asyncio
import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from cli.app import Actions, run_app
from cli.folders import fresh_folder
from cli.options import (
    DemoOptions,
    DownloadOptions,
    ReplayOptions,
    ScanOptions,
    SimOptions,
    TradeOptions,
    TradesOptions,
)
from core.clock import SystemClock
from core.errors import PerpscoutError
from core.settings import Mode, Settings, load_settings

ROOT = Path(__file__).resolve().parent
WITHOUT_END = 10**9

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
    clock, settings = SystemClock(), _settings()
    began = clock.monotonic()
    _check_playable(options)
    folder = fresh_folder(settings.home, "demo", now_ms=clock.wire_ms(), chosen=options.out)
    from wiring.demo import run_demo

    return asyncio.run(run_demo(settings, options, folder, began=began))


def scan(options: ScanOptions) -> int:
    clock, settings = SystemClock(), _settings()
    began = clock.monotonic()
    _refuse_unbuilt(options.mode or settings.mode)
    _check_playable(options)
    folder = fresh_folder(settings.home, "scan", now_ms=clock.wire_ms())
    from wiring.scan import run_scan

    return asyncio.run(run_scan(settings, options, folder, began=began))


def trade(options: TradeOptions) -> int:
    _refuse_unbuilt(options.mode or _settings().mode)
    return demo(
        DemoOptions(
            minutes=WITHOUT_END, speed=1, symbols=650, seed=1, data=None, start=None, out=None, as_json=False
        )
    )


def sim(options: SimOptions) -> int:
    from wiring.sim import serve_simulator

    return serve_simulator(options)


def download(options: DownloadOptions) -> int:
    settings = _settings()
    from wiring.download import run_download

    return asyncio.run(run_download(settings, options))


def replay(options: ReplayOptions) -> int:
    from data.candle_file import CandleFile

    clock, settings = SystemClock(), _settings()
    loaded = CandleFile.load(options.data)
    candles = loaded.only(options.symbols) if options.symbols else loaded
    start = options.start if options.start is not None else candles.first_minute_with_history()
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

    with (ROOT / "pyproject.toml").open("rb") as file:
        print_result(f"perpscout {tomllib.load(file)['project']['version']}")
    return 0


def _settings() -> Settings:
    settings = load_settings(os.environ, ROOT / ".env")
    if settings.tunings:
        from wiring.strategies import chosen_strategies

        chosen_strategies(settings)  # what can not be is refused before anything starts
    return settings


def _check_playable(options: DemoOptions | ScanOptions) -> None:
    if options.data:
        from wiring.sim import check_playable

        check_playable(options.data, options.start)


def _refuse_unbuilt(mode: Mode) -> None:
    if mode is not Mode.SIM:
        raise PerpscoutError(
            f"Mode {mode} is not open in this version: the checks that must come before real orders are not"
            " built yet. Mode sim trades on the built-in exchange."
        )


if __name__ == "__main__":
    sys.exit(main())
