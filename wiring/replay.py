"""Recorded candles through the trader's own loop, on paper."""

from pathlib import Path

from cli.notice_log import NoticeLog
from cli.replay import finish_replay
from core.clock import ManualClock, SystemClock
from core.market import SymbolAxis
from core.settings import Mode, Settings
from data.candle_file import CandleFile
from data.candle_store import CandleStore
from exchange.paper import PaperExchange
from exchange.sim.market.recorded import RecordedCandles, recorded_universe
from services.books import Venues
from services.notifiers import Notifiers
from services.replay import Replay
from wiring.records import log_to, records_in
from wiring.trader import PAPER_DEPOSIT, World, trader_in


def run_replay(
    settings: Settings,
    candles: CandleFile,
    folder: Path,
    *,
    start: int,
    end: int | None,
    json_wanted: bool,
) -> int:
    """Decide every minute from ``start`` to ``end`` (ms), and sum up."""
    recorded = RecordedCandles(candles.symbols, candles.start_ms, candles.candles)
    instruments = {each.symbol: each.contract for each in recorded_universe(recorded)}

    def paper() -> PaperExchange:
        return PaperExchange(instruments, deposit=PAPER_DEPOSIT)

    real, virtual = paper(), paper()
    axis, clock, timer = SymbolAxis(candles.symbols), ManualClock(start), SystemClock()
    world = World(
        mode=Mode.SIM,
        axis=axis,
        instruments=instruments,
        store=CandleStore(axis),
        venues=Venues(real=real, virtual=virtual, real_driver=real, virtual_driver=virtual, shadow=paper),
        clock=clock,
    )
    log_to(folder, settings)
    # A replay can be run again: its journal need not wait for the disk.
    with records_in(folder, clock, durable=False) as records:
        trader = trader_in(world, records, settings, Notifiers([NoticeLog()]))
        began = timer.monotonic()
        seen = Replay(candles, trader, clock).run(start, candles.end_ms if end is None else end)
        records.bookkeeper.flush()
        return finish_replay(
            trader,
            list(records.journal.closed_trades()),
            candles=seen,
            seconds=timer.monotonic() - began,
            written=(records.trade_log.folder, records.journal.path),
            json_wanted=json_wanted,
        )
