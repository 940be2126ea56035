"""The trader on the simulated exchange, watched from the terminal."""

from pathlib import Path

from cli.demo import Demo, Rig
from cli.options import DemoOptions
from cli.watch import Watch
from core.clock import SystemClock
from core.ports import Notifier
from core.settings import Mode, Settings
from data.candle_store import CandleStore
from exchange.paper import PaperExchange
from services.books import Venues
from services.execution import ExecutionService
from services.highlights import Highlights
from services.letterbox import Letterbox
from services.notifiers import Notifiers
from services.operator import Operator
from services.quarter_check import QuarterCheck
from services.session import Inbox, Session
from services.universe import Universe
from wiring.fronts import discord_front, trade_drawer
from wiring.market import archived_data_service
from wiring.records import Records, log_to, records_in
from wiring.simulated import Simulated, simulated
from wiring.trader import PAPER_DEPOSIT, World, trader_in, universe_of

KEPT_MINUTES = 1500


async def run_demo(settings: Settings, options: DemoOptions, folder: Path, *, began: float) -> int:
    """Run to the end; ``began`` is when the program started, in monotonic seconds."""
    log_to(folder, settings)
    watch = Watch("demo", minutes=options.minutes, clock=SystemClock())
    watch.say("starting the simulated exchange")
    async with simulated(options, folder) as venue:
        with records_in(folder, venue.clock) as records:
            rig = await _rig(settings, venue, records, watch)
            return await Demo(rig, options, folder, began=began).run()


async def _rig(settings: Settings, venue: Simulated, records: Records, watch: Watch) -> Rig:
    exchange, clock = venue.connection.exchange, venue.clock
    instruments = await exchange.instruments()
    axis = universe_of(settings, instruments, now_ms=clock.market_ms())
    inbox, store = Inbox(), CandleStore(axis, minutes=KEPT_MINUTES)
    paper, twin = (PaperExchange(instruments, deposit=PAPER_DEPOSIT) for _ in range(2))
    execution = ExecutionService(exchange, post=inbox.post, clock=clock)
    highlights = Highlights(store)
    discord = discord_front(settings, clock, highlights)
    universe = Universe(
        exchange,
        axis.names,
        instruments,
        post=inbox.post,
        clock=clock,
        parameters=settings.parameters().universe,
    )
    world = World(
        mode=Mode.SIM,
        axis=axis,
        instruments=instruments,
        store=store,
        venues=Venues(real=execution, virtual=paper, virtual_driver=paper, twin=twin),
        clock=clock,
    )
    fronts: list[Notifier] = [watch, highlights, universe, *([discord.notifier] if discord else [])]
    notifier = Notifiers(fronts)
    trader = trader_in(world, records, settings, notifier)
    archivist, data = await archived_data_service(
        venue.connection, axis, clock, on_history=inbox.post, folder=records.folder / "candles"
    )
    check = QuarterCheck(
        axis, venue.connection.candles, store, distrust=data.distrust, notifier=notifier, clock=clock
    )
    operator = Operator(inbox.post)
    letters = Letterbox(records.folder / "wishes", operator, clock)
    session = Session(
        trader,
        inbox,
        minutes=archivist.following(data),
        exchange=exchange,
        bookkeeper=records.bookkeeper,
        clock=clock,
        mark=data.mark,
        execution=execution,
    )
    return Rig(
        trader=trader,
        session=session,
        highlights=highlights,
        market=venue.market,
        watch=watch,
        clock=clock,
        draw=trade_drawer(settings),
        hurry=venue.hurry,
        is_loaded=lambda: trader.view().loaded + len(data.excluded) >= len(axis),
        beside=(
            universe.run(),
            check.run(),
            letters.run(),
            *([discord.run(trader.view, operator)] if discord else []),
        ),
    )
