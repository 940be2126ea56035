"""Candles for research, from the exchange of the settings or from one of our own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from cli.download import DownloadLine, DownloadResult, finish_download
from cli.folders import fresh_folder
from cli.options import DownloadOptions, MarketOptions
from core.clock import SystemClock
from core.rng import seeded
from core.settings import Settings
from data.candle_archive import CandleArchive
from data.run_lock import RunLock
from exchange.binance.addresses import Credentials, simulator_at
from exchange.binance.connection import BinanceConnection
from exchange.sim.child import simulator_child
from services.candle_download import CandleDownload, span_of
from wiring.modes import addresses_of
from wiring.simulated import simulator_command

_SIMULATED_HISTORY = MarketOptions(speed=60, symbols=650, seed=1, data=None, start=None)


async def run_download(settings: Settings, options: DownloadOptions) -> int:
    """Fetch what is missing, and sum up what there is."""
    clock, line = SystemClock(), DownloadLine()
    began = clock.monotonic()
    archive = CandleArchive(_folder(settings, options, now_ms=clock.wire_ms()))
    folder = archive.folder if options.out else archive.folder.parent
    with RunLock(folder):
        async with _public(settings, folder) as venue:
            span = await span_of(venue.exchange, venue.candles, options.symbols, options.start, options.end)
            line.say(f"{len(span.listed)} symbols into {archive.folder}")
            work = CandleDownload(
                venue.candles,
                archive,
                clock=clock,
                allowance=venue.limiter.allowance,
                on_progress=line.progressed,
            )
            fetched = await work.run(span)
        symbols = tuple(span.listed)
        if options.out and options.out.suffix == ".parquet":
            archive.export(options.out, span.start_ms, span.end_ms, symbols=symbols)
        result = DownloadResult(
            symbols=len(symbols),
            fetched=fetched,
            candles=archive.count(span.start_ms, span.end_ms, symbols=symbols),
            failed=work.failed,
            start=span.start_ms,
            end=span.end_ms,
            first=archive.oldest(span.start_ms, span.end_ms, symbols=symbols),
            seconds=round(clock.monotonic() - began, 3),
            rate_limited=venue.api.rate_limited,
            out=str(options.out or archive.folder),
        )
    return finish_download(result, json_wanted=options.as_json)


def _folder(settings: Settings, options: DownloadOptions, *, now_ms: int) -> Path:
    """Return the archive: beside a file asked for, so that it can be continued; in sim a fresh one."""
    if options.out is not None:
        return options.out.with_suffix(".candles") if options.out.suffix == ".parquet" else options.out
    if settings.starts_simulator:
        return fresh_folder(settings.home, "download", now_ms=now_ms) / "candles"
    return settings.folder / "candles"


@asynccontextmanager
async def _public(settings: Settings, folder: Path) -> AsyncIterator[BinanceConnection]:
    """Connect to the exchange of the settings without keys; in sim to our own, logged in ``folder``."""
    async with AsyncExitStack() as stack:
        if settings.starts_simulator:
            command = simulator_command(_SIMULATED_HISTORY)
            told = await stack.enter_async_context(simulator_child(command, folder / "simulator.log"))
            addresses, speed = simulator_at(told.rest, told.ws), told.speed
        else:
            addresses, speed = addresses_of(settings), 1.0
        connection = BinanceConnection(
            addresses, Credentials(), clock=SystemClock(), rng=seeded(), speed=speed
        )
        stack.push_async_callback(connection.close)
        yield connection
