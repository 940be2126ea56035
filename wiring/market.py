"""The market of one connection as minutes, with or without an archive to start from."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from core.clock import ScaledClock
from core.market import AxisChanged, CandleHistory, SymbolAxis
from data.candle_archive import CandleArchive
from exchange.binance.connection import BinanceConnection
from services.archived_candles import ArchivedCandles, CandleShelf
from services.archivist import Archivist
from services.bootstrap import BootstrapProgress
from services.data_service import DataService

OnHistory = Callable[[CandleHistory], None]


def data_service(
    connection: BinanceConnection,
    axis: SymbolAxis,
    clock: ScaledClock,
    *,
    on_history: OnHistory,
    on_axis: Callable[[AxisChanged], None] = lambda _: None,
    on_progress: Callable[[BootstrapProgress], None] = lambda _: None,
    shelf: CandleShelf | None = None,
) -> DataService:
    """Make the data service of one connection; ``shelf`` holds candles that need not be fetched."""
    return DataService(
        axis,
        connection.candles if shelf is None else ArchivedCandles(connection.candles, shelf),
        streams=lambda sink: connection.market_streams(axis.names, sink),
        clock=clock,
        on_history=on_history,
        on_axis=on_axis,
        on_progress=on_progress,
        on_market_time=clock.observe,
    )


async def archived_data_service(
    connection: BinanceConnection,
    axis: SymbolAxis,
    clock: ScaledClock,
    *,
    post: Callable[[CandleHistory | AxisChanged], None],
    folder: Path,
) -> tuple[Archivist, DataService]:
    """Make a data service that starts from the candles in ``folder``, and who writes down what it tells.

    ``post`` gets what comes between minutes, in order.
    """
    archive = CandleArchive(folder)
    shelf = await asyncio.to_thread(archive.newest, clock.market_ms())
    archivist = Archivist(archive, shelf)
    hearing = archivist.hearing(post)
    return archivist, data_service(connection, axis, clock, on_history=hearing, on_axis=post, shelf=shelf)
