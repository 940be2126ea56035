"""A trader in a process of its own, over real sockets, made to be killed: ``python -m tests.faults.mortal``.

Everything but what it wishes for is what trades: adapter, streams, candles, journal, recovery.
"""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from cli.interrupts import end_on_interrupt
from core.clock import ScaledClock
from core.market import SymbolAxis
from core.rng import seeded
from data.candle_store import CandleStore
from data.journal import SqliteJournal
from data.run_lock import RunLock
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.connection import BinanceConnection
from exchange.limits.ban import BanNote
from exchange.paper import PaperExchange
from services.bookkeeping import Bookkeeper
from services.books import Venues
from services.data_service import DataService
from services.execution import ExecutionService
from services.notifiers import Notifiers
from services.operator import Operator
from services.risk_desk import RiskDesk
from services.session import Inbox, Session
from services.trader import Trader
from tests.faults.process import STORM_RULES
from tests.faults.script import RandomScript, ScriptedEngine
from tests.faults.world import Beside, Shelf

SPEED = 60.0
SEED = 7
_FOR_EVER = 1 << 62


async def trade(arguments: argparse.Namespace) -> None:
    """Trade, or with ``--quiet`` close everything, until killed or told to end."""
    task = asyncio.current_task()
    assert task is not None
    end_on_interrupt(task)
    clock = ScaledClock(speed=SPEED, market_ms=arguments.market_ms)
    connection = BinanceConnection(
        BinanceAddresses(rest=arguments.rest, ws=arguments.ws),
        Credentials(api_key=arguments.key, api_secret=arguments.secret),
        clock=clock,
        rng=seeded(SEED),
        speed=SPEED,
        ban=BanNote(arguments.folder / "ban.txt", clock),
    )
    instruments = await connection.exchange.instruments()
    axis, inbox = SymbolAxis(tuple(instruments)), Inbox()
    store, paper = CandleStore(axis), PaperExchange(instruments, deposit=Decimal(10_000))
    data = DataService(
        axis,
        connection.candles,
        streams=lambda sink: connection.market_streams(axis.names, sink),
        clock=clock,
        on_history=inbox.post,
        on_market_time=clock.observe,
    )
    execution = ExecutionService(connection.exchange, post=inbox.post, clock=clock)
    script = RandomScript(SEED, quiet_from=0 if arguments.quiet else _FOR_EVER)
    with RunLock(arguments.folder), SqliteJournal(arguments.folder / "journal.db") as journal:
        bookkeeper = Bookkeeper(Shelf(Beside()), clock)
        trader = Trader(
            mode="sim",
            engine=ScriptedEngine(axis, script),
            store=store,
            desk=RiskDesk(instruments, store, STORM_RULES),
            venues=Venues(
                real=execution,
                virtual=paper,
                virtual_driver=paper,
            ),
            journal=journal,
            bookkeeper=bookkeeper,
            notifier=Notifiers(()),
            clock=clock,
            parameters=STORM_RULES,
        )
        session = Session(
            trader,
            inbox,
            minutes=data,
            exchange=connection.exchange,
            bookkeeper=bookkeeper,
            clock=clock,
            mark=data.mark,
            execution=execution,
        )
        closing = (_close_all(trader, inbox, clock),) if arguments.quiet else ()
        await session.run(lambda: False, *closing)


async def _close_all(trader: Trader, inbox: Inbox, clock: ScaledClock) -> None:
    while True:
        await clock.sleep(1.0)
        for each in trader.view().real:
            Operator(inbox.post).close("mortal", each.position.symbol)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("rest", "ws", "key", "secret"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--market-ms", type=int, required=True)
    parser.add_argument("--quiet", action="store_true")
    with suppress(asyncio.CancelledError):  # told to end, it has done so in good order
        asyncio.run(trade(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
