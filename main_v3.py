"""The composition root: reads the settings, picks the objects, hands them to a command. Wiring only."""

import asyncio
import logging
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

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
from core.clock import Clock, ManualClock, ScaledClock, SystemClock
from core.errors import PerpscoutError, SettingsError
from core.settings import Mode, Settings, load_settings

if TYPE_CHECKING:
    from bot.front import DiscordFront
    from bot.trade_chart import TradeChart
    from cli.demo import Rig
    from cli.watch import Watch
    from core.instruments import Instrument
    from core.market import CandleHistory, SymbolAxis
    from core.notices import Notice
    from core.ports import Notifier
    from data.candle_file import CandleFile
    from data.candle_store import CandleStore
    from data.journal import SqliteJournal
    from data.trade_log import TradeLog
    from exchange.binance.addresses import BinanceAddresses, Credentials
    from exchange.binance.candles import BinanceCandles
    from exchange.binance.connection import BinanceConnection
    from exchange.binance.futures import BinanceFutures
    from exchange.limits.weight import WeightLimiter
    from exchange.sim.child import MarketMonitor
    from exchange.sim.config import Announcement, SimConfig
    from exchange.sim.market.recorded import RecordedCandles
    from services.archived_candles import CandleShelf
    from services.archivist import Archivist
    from services.bookkeeping import Bookkeeper
    from services.bootstrap import BootstrapProgress
    from services.chronicle import Chronicle
    from services.data_service import DataService
    from services.highlights import Highlight, Highlights
    from services.scanner import Scanner
    from services.trader import Trader, Venues
    from strategies.catalogue import LineUp
    from strategies.ict_smc.explanation import Explanation

ROOT = Path(__file__).resolve().parent
DEPOSIT = Decimal(10_000)
GENTLE = 60.0  # market minutes a minute while a trader is still fetching its history
UNPACED = 600.0  # the speed that "as fast as possible" is taken for where a period must be known beforehand
WITHOUT_END = 10**9


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


# --- commands ---------------------------------------------------------------------------------------


def demo(options: DemoOptions) -> int:
    clock, settings = SystemClock(), _settings()
    began = clock.monotonic()
    if options.data:
        _check(options.data, options.start)
    folder = fresh_folder(settings.home, "demo", now_ms=clock.wire_ms(), chosen=options.out)
    return asyncio.run(_demo(settings, options, folder, began=began))


def scan(options: ScanOptions) -> int:
    clock, settings = SystemClock(), _settings()
    began = clock.monotonic()
    _refuse_unbuilt(options.mode or settings.mode)
    if options.data:
        _check(options.data, options.start)
    folder = fresh_folder(settings.home, "scan", now_ms=clock.wire_ms())
    return asyncio.run(_scan(settings, options, folder, began=began))


def trade(options: TradeOptions) -> int:
    _refuse_unbuilt(options.mode or _settings().mode)
    return demo(
        DemoOptions(
            minutes=WITHOUT_END, speed=1, symbols=650, seed=1, data=None, start=None, out=None, as_json=False
        )
    )


def _refuse_unbuilt(mode: Mode) -> None:
    if mode is not Mode.SIM:
        raise PerpscoutError(
            f"Mode {mode} is not open in this version: the checks that must come before real orders are not"
            " built yet. Mode sim trades on the built-in exchange."
        )


def sim(options: SimOptions) -> int:
    from exchange.sim.child import parent_gone
    from exchange.sim.process import serve

    async def run() -> None:
        until = [parent_gone] if options.with_parent else []
        await serve(_sim_config(options), announce=_announcer(options), until=until)

    asyncio.run(run())
    return 0


def download(options: DownloadOptions) -> int:
    return asyncio.run(_download(_settings(), options))


def replay(options: ReplayOptions) -> int:
    from data.candle_file import CandleFile

    clock, settings = SystemClock(), _settings()
    loaded = CandleFile.load(options.data)
    candles = loaded.only(options.symbols) if options.symbols else loaded
    start = options.start if options.start is not None else candles.first_minute_with_history()
    folder = fresh_folder(settings.home, "replay", now_ms=clock.wire_ms(), chosen=options.out)
    return _replay(settings, candles, folder, start=start, end=options.end, json_wanted=options.as_json)


def trades(options: TradesOptions) -> int:
    from cli.trades import show_trades

    return show_trades(options, _settings().home)


def config() -> int:
    from cli.settings_table import show_settings, show_strategy

    settings = _settings()
    show_settings(settings)
    for name, parameters in _line_up(settings).described():
        show_strategy(name, parameters)
    return 0


def version() -> int:
    from cli.watch import print_result

    print_result(f"perpscout {_version()}")
    return 0


# --- the simulated exchange -------------------------------------------------------------------------


def _sim_config(options: SimOptions) -> "SimConfig":
    from exchange.sim.config import SimConfig

    return SimConfig(
        host=options.host,
        port=options.port,
        speed=options.speed,
        symbols=options.symbols,
        seed=options.seed,
        candles=_recorded(options.data) if options.data else None,
        start_ms=options.start,
        fault_seed=options.faults,
    )


def _announcer(options: SimOptions) -> Callable[["Announcement"], None]:
    from cli.summary import show_simulator

    return lambda told: show_simulator(asdict(told), json_wanted=options.as_json)


def _recorded(path: Path) -> "RecordedCandles":
    from data.candle_file import CandleFile
    from exchange.sim.market.recorded import RecordedCandles

    candles = CandleFile.load(path)
    return RecordedCandles(candles.symbols, candles.start_ms, candles.candles)


def _check(path: Path, start: int | None) -> None:
    """Refuse a file that can not be played, before anything is started or written for it."""
    recorded = _recorded(path)
    first = recorded.minute_zero() if start is None else start
    if not recorded.start_ms < first < recorded.end_ms():
        raise PerpscoutError(
            f"{path} has no candles to play at {first} (ms): choose a --from inside the file."
        )


def _sim_command(options: DemoOptions | ScanOptions) -> list[str]:
    command = [sys.executable, str(ROOT / "main_v3.py"), "sim", "--json", "--port", "0", "--with-parent"]
    command += [
        "--speed",
        str(_start_speed(options)),
        "--symbols",
        str(options.symbols),
        "--seed",
        str(options.seed),
    ]
    if options.data:
        command += ["--data", str(options.data.resolve())]
    if options.start is not None:
        command += ["--from", str(options.start)]
    return command


# --- a trader ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """Where one run writes."""

    folder: Path
    journal: "SqliteJournal"
    trade_log: "TradeLog"
    bookkeeper: "Bookkeeper"


@contextmanager
def _records(folder: Path, clock: Clock, *, durable: bool = True) -> Iterator[_Records]:
    from data.journal import SqliteJournal
    from data.run_lock import RunLock
    from data.trade_log import TradeLog
    from services.bookkeeping import Bookkeeper

    with RunLock(folder), SqliteJournal(folder / "journal.db", durable=durable) as journal:
        trade_log = TradeLog(folder / "trades")
        trade_log.catch_up(journal)
        bookkeeper = Bookkeeper(trade_log, clock)
        yield _Records(folder=folder, journal=journal, trade_log=trade_log, bookkeeper=bookkeeper)
        bookkeeper.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What a trader is put into; only this differs between modes."""

    mode: Mode
    axis: "SymbolAxis"
    instruments: Mapping[str, "Instrument"]
    store: "CandleStore"
    venues: "Venues"
    clock: Clock


def _trader(world: _World, records: _Records, settings: Settings, notifier: "Notifier") -> "Trader":
    from services.risk_desk import RiskDesk
    from services.strategy_engine import StrategyEngine
    from services.trader import Trader
    from strategies.kernel.market import MarketKernel

    parameters, chosen = settings.parameters(), _line_up(settings)
    kernel = MarketKernel(world.axis.names, chosen.kernel)
    return Trader(
        mode=world.mode,
        engine=StrategyEngine(world.axis, chosen.strategies, kernel),
        store=world.store,
        desk=RiskDesk(world.instruments, world.store, parameters, trades=settings.may_trade),
        venues=world.venues,
        journal=records.journal,
        bookkeeper=records.bookkeeper,
        notifier=notifier,
        clock=world.clock,
        parameters=parameters,
    )


# --- trading on Binance, or on what speaks like it --------------------------------------------------


class DataFactory(Protocol):
    """Makes the data service of one account's market."""

    def __call__(
        self,
        axis: "SymbolAxis",
        on_history: Callable[["CandleHistory"], None],
        on_progress: Callable[["BootstrapProgress"], None] = ...,
        shelf: "CandleShelf | None" = ...,
    ) -> "DataService": ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Binance:
    """One account at one address."""

    exchange: "BinanceFutures"
    candles: "BinanceCandles"
    data: "DataFactory"


@asynccontextmanager
async def _binance(
    addresses: "BinanceAddresses", credentials: "Credentials", clock: ScaledClock, limiter: "WeightLimiter"
) -> AsyncIterator[_Binance]:
    from core.rng import seeded
    from exchange.binance.candles import BinanceCandles
    from exchange.binance.futures import BinanceFutures
    from exchange.binance.market_stream import BinanceMarketStreams
    from exchange.binance.rest import BinanceRest
    from exchange.binance.transport import AiohttpTransport
    from exchange.binance.user_stream import UserStream
    from services.archived_candles import ArchivedCandles
    from services.data_service import DataService

    transport, rng = AiohttpTransport(), seeded()
    api = BinanceRest(addresses, credentials, transport=transport, limiter=limiter, clock=clock)
    user_stream = UserStream(api, transport, addresses, clock=clock, rng=rng)
    exchange = BinanceFutures(api, user_stream, clock=clock, rng=rng)
    candles = BinanceCandles(api, clock=clock, rng=rng)

    def data(
        axis: "SymbolAxis",
        on_history: Callable[["CandleHistory"], None],
        on_progress: Callable[["BootstrapProgress"], None] = lambda _: None,
        shelf: "CandleShelf | None" = None,
    ) -> DataService:
        return DataService(
            axis,
            candles if shelf is None else ArchivedCandles(candles, shelf),
            streams=lambda sink: BinanceMarketStreams(
                transport, addresses, axis.names, sink, clock=clock, rng=rng
            ),
            clock=clock,
            on_history=on_history,
            on_progress=on_progress,
            on_market_time=clock.observe,
        )

    try:
        yield _Binance(exchange=exchange, candles=candles, data=data)
    finally:
        await exchange.close()
        await transport.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Simulated:
    """The simulated exchange, and an account of ours on it."""

    binance: _Binance
    market: "MarketMonitor"
    clock: ScaledClock
    hurry: Callable[[], Awaitable[None]]


@asynccontextmanager
async def _simulated(options: DemoOptions | ScanOptions, folder: Path) -> AsyncIterator[_Simulated]:
    from exchange.binance.addresses import BinanceAddresses, Credentials
    from exchange.limits.ban import BanNote
    from exchange.limits.weight import WeightLimiter
    from exchange.sim.child import MarketMonitor, simulator_child
    from strategies.warm import warm

    async with simulator_child(_sim_command(options), folder / "simulator.log") as told:
        await asyncio.to_thread(warm, clock=SystemClock())  # a compiler must not hold up the loop later
        market = MarketMonitor(told.rest, SystemClock())
        clock = ScaledClock(speed=_start_speed(options), market_ms=(await market.status()).market_ms)
        addresses = BinanceAddresses(rest=told.rest, ws=told.ws)
        credentials = Credentials(api_key=told.api_key, api_secret=told.api_secret)
        note = BanNote(folder / "ban.txt", clock)
        limiter = WeightLimiter(clock, period=60 / clock.speed, note=note)

        async def hurry() -> None:
            await market.set_speed(options.speed)
            clock.set_speed(options.speed or UNPACED)
            limiter.set_period(60 / clock.speed)

        async with _binance(addresses, credentials, clock, limiter) as binance:
            yield _Simulated(binance=binance, market=market, clock=clock, hurry=hurry)


def _start_speed(options: DemoOptions | ScanOptions) -> float:
    """Begin no faster than this: what passes while history is fetched is not scanned."""
    return min(options.speed or UNPACED, GENTLE)


def _universe(settings: Settings, instruments: Mapping[str, "Instrument"], now: int) -> "SymbolAxis":
    from core.market import SymbolAxis
    from core.symbols import is_in_universe

    bounds = settings.parameters().universe
    return SymbolAxis(
        tuple(
            symbol
            for symbol, contract in sorted(instruments.items())
            if is_in_universe(contract, at=now, parameters=bounds)
            and symbol not in settings.universe_blacklist
        )
    )


async def _demo(settings: Settings, options: DemoOptions, folder: Path, *, began: float) -> int:
    from cli.demo import Demo
    from cli.watch import Watch

    _log_to(folder, settings)
    watch = Watch("demo", minutes=options.minutes, clock=SystemClock())
    watch.say("starting the simulated exchange")
    async with _simulated(options, folder) as simulated:
        with _records(folder, simulated.clock) as records:
            rig = await _rig(settings, simulated, records, watch)
            return await Demo(rig, options, folder, began=began).run()


async def _rig(settings: Settings, simulated: _Simulated, records: _Records, watch: "Watch") -> "Rig":
    from cli.demo import Rig
    from data.candle_store import CandleStore
    from exchange.paper import PaperExchange
    from services.execution import ExecutionService
    from services.highlights import Highlights
    from services.notifiers import Notifiers
    from services.quarter_check import QuarterCheck
    from services.session import Inbox, Session
    from services.trader import Venues
    from services.universe import Universe

    binance, clock = simulated.binance, simulated.clock
    instruments = await binance.exchange.instruments()
    axis = _universe(settings, instruments, clock.market_ms())
    inbox, store = Inbox(), CandleStore(axis, minutes=1500)
    paper, twin = (PaperExchange(instruments, deposit=DEPOSIT) for _ in range(2))
    execution = ExecutionService(binance.exchange, post=inbox.post, clock=clock)
    highlights = Highlights(store)
    discord = _discord(settings, clock, highlights)
    world = _World(
        mode=Mode.SIM,
        axis=axis,
        instruments=instruments,
        store=store,
        venues=Venues(real=execution, virtual=paper, virtual_driver=paper, twin=twin),
        clock=clock,
    )
    universe = Universe(
        binance.exchange,
        axis.names,
        instruments,
        post=inbox.post,
        clock=clock,
        parameters=settings.parameters().universe,
    )
    fronts: list[Notifier] = [watch, highlights, universe, *([discord.notifier] if discord else [])]
    notifiers = Notifiers(fronts)
    trader = _trader(world, records, settings, notifiers)
    archivist, data = await _archived(binance, axis, inbox.post, records.folder, now_ms=clock.market_ms())
    check = QuarterCheck(
        axis, binance.candles, store, distrust=data.distrust, notifier=notifiers, clock=clock
    )
    session = Session(
        trader,
        inbox,
        minutes=archivist.following(data),
        exchange=binance.exchange,
        bookkeeper=records.bookkeeper,
        clock=clock,
        mark=data.mark,
    )
    return Rig(
        trader=trader,
        session=session,
        highlights=highlights,
        market=simulated.market,
        watch=watch,
        clock=clock,
        draw=_drawer(settings),
        hurry=simulated.hurry,
        is_loaded=lambda: trader.view().loaded + len(data.excluded) >= len(axis),
        beside=(universe.run(), check.run(), *((discord.run(trader.view),) if discord else ())),
    )


async def _archived(
    binance: _Binance,
    axis: "SymbolAxis",
    on_history: Callable[["CandleHistory"], None],
    folder: Path,
    *,
    now_ms: int,
) -> tuple["Archivist", "DataService"]:
    """Make a data service that starts from the candles in ``folder``, and who writes down what it tells."""
    from data.candle_archive import CandleArchive
    from services.archivist import Archivist

    archive = CandleArchive(folder / "candles")
    shelf = await asyncio.to_thread(archive.newest, now_ms)
    archivist = Archivist(archive, shelf)
    return archivist, binance.data(axis, archivist.hearing(on_history), shelf=shelf)


def _discord(settings: Settings, clock: Clock, highlights: "Highlights") -> "DiscordFront | None":
    from bot.front import DiscordFront
    from core.notices import PositionEnded

    def picture(notice: "Notice") -> "TradeChart | None":
        return _chart(highlights.around(notice.position)) if isinstance(notice, PositionEnded) else None

    return DiscordFront.of(settings, clock=clock, picture=picture)


def _chart(highlight: "Highlight") -> "TradeChart":
    from bot.trade_chart import TradeChart

    return TradeChart.of(highlight.position, candles=highlight.candles, open_times=highlight.open_times)


def _drawer(settings: Settings) -> Callable[["Highlight"], bytes]:
    from bot.charts import draw_trade
    from bot.layout import UpColour

    return lambda highlight: draw_trade(_chart(highlight), up=UpColour(settings.up_colour))


# --- one scan ---------------------------------------------------------------------------------------


async def _scan(settings: Settings, options: ScanOptions, folder: Path, *, began: float) -> int:
    from cli.scan import LoadingLine, ScanRig, check_explained, finish_scan

    _log_to(folder, settings)
    line = LoadingLine()
    line.say("starting the simulated exchange")
    async with _simulated(options, folder) as simulated:
        exchange = simulated.binance.exchange
        instruments = await exchange.instruments()
        axis = _universe(settings, instruments, simulated.clock.market_ms())
        check_explained(options.explain, axis.names)
        scanner = _scanner(settings, axis, instruments)
        scanner.account(await exchange.account())

        def progressed(progress: "BootstrapProgress") -> None:
            scanner.progressed(progress)
            line.progressed(progress)

        rig = ScanRig(
            scanner=scanner,
            minutes=simulated.binance.data(axis, scanner.take, progressed),
            market=simulated.market,
            draw=_structure_drawer(settings),
            folder=folder,
            clock=simulated.clock,
            began=began,
        )
        return await finish_scan(rig, options)


def _scanner(settings: Settings, axis: "SymbolAxis", instruments: Mapping[str, "Instrument"]) -> "Scanner":
    from data.candle_store import CandleStore
    from services.scanner import Scanner
    from services.strategy_engine import StrategyEngine
    from strategies.ict_smc import IctSmc
    from strategies.kernel.market import MarketKernel

    chosen = _line_up(settings)
    kernel = MarketKernel(axis.names, chosen.kernel)
    return Scanner(
        kernel,
        next(each for each in chosen.strategies if isinstance(each, IctSmc)),
        CandleStore(axis),
        instruments,
        engine=StrategyEngine(axis, chosen.strategies, kernel),
        parameters=settings.parameters(),
        clock=SystemClock(),
    )


def _structure_drawer(settings: Settings) -> Callable[["Chronicle", Sequence["Explanation"]], bytes]:
    def draw(told: "Chronicle", sides: Sequence["Explanation"]) -> bytes:
        from bot.layout import UpColour
        from bot.structure_chart import draw_structure
        from bot.structures import StructureChart

        return draw_structure(StructureChart.of(told, sides), up=UpColour(settings.up_colour))

    return draw


# --- candles for research ---------------------------------------------------------------------------


async def _download(settings: Settings, options: DownloadOptions) -> int:
    from cli.download import DownloadLine, DownloadResult, finish_download
    from data.candle_archive import CandleArchive
    from data.run_lock import RunLock
    from services.candle_download import CandleDownload, span_of

    clock, line = SystemClock(), DownloadLine()
    began = clock.monotonic()
    archive = CandleArchive(_download_folder(settings, options, now_ms=clock.wire_ms()))
    with RunLock(archive.folder if options.out else archive.folder.parent):
        async with _public(settings, archive.folder) as venue:
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
            seconds=round(clock.monotonic() - began, 3),
            rate_limited=venue.api.rate_limited,
            out=str(options.out or archive.folder),
        )
    return finish_download(result, json_wanted=options.as_json)


def _download_folder(settings: Settings, options: DownloadOptions, *, now_ms: int) -> Path:
    """Return the archive: beside a file asked for, so that it can be continued; in sim a fresh one."""
    if options.out is not None:
        return options.out.with_suffix(".candles") if options.out.suffix == ".parquet" else options.out
    if settings.mode is Mode.SIM and not settings.binance_rest_url:
        return fresh_folder(settings.home, "download", now_ms=now_ms) / "candles"
    return settings.folder / "candles"


@asynccontextmanager
async def _public(settings: Settings, folder: Path) -> AsyncIterator["BinanceConnection"]:
    """Connect to the exchange of the settings without keys; in sim to one of our own."""
    from core.rng import seeded
    from exchange.binance.addresses import DEMO_TRADING, PRODUCTION, BinanceAddresses, Credentials
    from exchange.binance.connection import BinanceConnection
    from exchange.sim.child import simulator_child

    async with AsyncExitStack() as stack:
        addresses, speed = DEMO_TRADING if settings.mode is Mode.TESTNET else PRODUCTION, 1.0
        if settings.binance_rest_url:
            addresses = BinanceAddresses(rest=settings.binance_rest_url, ws=addresses.ws)
        elif settings.mode is Mode.SIM:
            command, folder = _sim_command(_SIMULATED_HISTORY), folder.parent
            told = await stack.enter_async_context(simulator_child(command, folder / "simulator.log"))
            addresses, speed = BinanceAddresses(rest=told.rest, ws=told.ws), told.speed
        connection = BinanceConnection(
            addresses, Credentials(), clock=SystemClock(), rng=seeded(), speed=speed
        )
        stack.push_async_callback(connection.close)
        yield connection


_SIMULATED_HISTORY = ScanOptions(
    mode=Mode.SIM, top=1, explain=None, symbols=650, seed=1, data=None, start=None, as_json=True
)


# --- replay -----------------------------------------------------------------------------------------


def _replay(
    settings: Settings,
    candles: "CandleFile",
    folder: Path,
    *,
    start: int,
    end: int | None,
    json_wanted: bool,
) -> int:
    from cli.replay import finish_replay
    from core.market import SymbolAxis
    from data.candle_store import CandleStore
    from exchange.paper import PaperExchange
    from exchange.sim.market.recorded import RecordedCandles, recorded_universe
    from services.notifiers import Notifiers
    from services.replay import Replay
    from services.trader import Venues

    recorded = RecordedCandles(candles.symbols, candles.start_ms, candles.candles)
    instruments = {each.symbol: each.contract for each in recorded_universe(recorded)}
    real, virtual = (PaperExchange(instruments, deposit=DEPOSIT) for _ in range(2))
    axis, clock, timer = SymbolAxis(candles.symbols), ManualClock(start), SystemClock()
    world = _World(
        mode=Mode.SIM,
        axis=axis,
        instruments=instruments,
        store=CandleStore(axis),
        venues=Venues(real=real, virtual=virtual, real_driver=real, virtual_driver=virtual),
        clock=clock,
    )
    _log_to(folder, settings)
    with _records(folder, clock, durable=False) as records:
        trader = _trader(world, records, settings, Notifiers([]))
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


# --- small things -----------------------------------------------------------------------------------


def _settings() -> Settings:
    settings = load_settings(os.environ, ROOT / ".env")
    if settings.tunings:
        _line_up(settings)  # what can not be is refused before anything starts
    return settings


def _line_up(settings: Settings) -> "LineUp":
    """Return the strategies with the user's parameters in them."""
    from strategies.catalogue import line_up

    try:
        return line_up(settings.tunings)
    except ValueError as refusal:
        raise SettingsError(f"PERPSCOUT_STRATEGY_PARAMETERS: {refusal}.") from refusal


def _log_to(folder: Path, settings: Settings) -> None:
    logging.basicConfig(
        filename=folder / "perpscout.log",
        level=settings.log_level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )


def _version() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


if __name__ == "__main__":
    sys.exit(main())
