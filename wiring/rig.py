"""A trader put into a place, with everything around it: the same in every mode."""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from cli.app import TRY_AGAIN
from cli.notice_log import NoticeLog
from cli.watch import Watch
from cli.watched_run import Rig
from core.instruments import Instrument
from core.market import SymbolAxis
from core.ports import Notifier
from core.settings import Settings
from data.candle_store import CandleStore
from data.machine import ThisMachine
from exchange.paper import PaperExchange
from services.archivist import Archivist
from services.books import Venues
from services.data_service import DataService
from services.feed_watch import FeedWatch
from services.highlights import Highlights
from services.letterbox import Letterbox
from services.loop_guard import LoopGuard
from services.market_watch import MarketWatch
from services.notifiers import Notifiers
from services.operator import Operator
from services.preflight import LOOK_SECONDS
from services.quarter_check import QuarterCheck
from services.session import SILENT_SECONDS, Session
from services.trader import Trader
from services.universe import Universe
from services.vital_signs import VitalSigns
from wiring.account import Account
from wiring.boarding import board
from wiring.fronts import discord_front, trade_drawer
from wiring.ground import Ground, ground_at
from wiring.market import archived_data_service
from wiring.place import Place
from wiring.records import Records
from wiring.trader import PAPER_DEPOSIT, World, trader_in, universe_of

KEPT_MINUTES = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The market as minutes, who keeps them, and who writes them down; ``axis`` is what is followed first."""

    axis: SymbolAxis
    store: CandleStore
    data: DataService
    archivist: Archivist


async def rig_at(place: Place, settings: Settings, records: Records, watch: Watch) -> Rig:
    """Put everything together. Raises ``ModeRefused`` where the exchange's answers forbid to start."""
    ground = await ground_at(place, settings, records)
    feed = await _feed(ground)
    highlights = Highlights(feed.store)
    discord = discord_front(settings, ground.clock, highlights)
    universe = _universe(ground, feed, held=lambda: trader.involved)
    notifier = Notifiers([watch, NoticeLog(), highlights, universe, *([discord.notifier] if discord else [])])
    preflight = await board(ground, notifier)
    trader = trader_in(_world(ground, feed), records, settings, notifier)
    operator = Operator(ground.inbox.post)
    vital = _vital_signs(ground, notifier)
    companions = {
        "universe": universe.run(),
        "quarter check": _quarter_check(ground, feed, notifier).run(),
        "feed watch": _feed_watch(ground, feed, trader, notifier).run(),
        "market watch": _market_watch(ground, feed, operator, notifier).run(),
        "letterbox": _letterbox(ground, operator, notifier).run(),
    }
    return Rig(
        trader=trader,
        session=_session(ground, feed, trader, vital),
        operator=operator,
        highlights=highlights,
        pace=place.pace,
        watch=watch,
        clock=ground.clock,
        draw=trade_drawer(settings),
        is_loaded=lambda: trader.view().loaded + len(feed.data.excluded) >= len(feed.data.axis),
        beside=(
            LoopGuard(lambda: os._exit(TRY_AGAIN)).run(ground.clock),
            *(vital.companions.of(name, run, within=SILENT_SECONDS) for name, run in companions.items()),
            *(vital.companions.of(name, run, within=2 * LOOK_SECONDS) for name, run in preflight.items()),
            *([discord.run(trader.view, operator)] if discord else []),
        ),
    )


async def _feed(ground: Ground) -> Feed:
    clock = ground.clock
    axis = universe_of(ground.settings, ground.instruments, now_ms=clock.market_ms())
    archivist, data = await archived_data_service(
        ground.place.connection,
        axis,
        clock,
        post=ground.inbox.post,
        folder=ground.records.folder / "candles",
    )
    store = CandleStore(axis, minutes=KEPT_MINUTES)
    return Feed(axis=axis, store=store, data=data, archivist=archivist)


def _universe(ground: Ground, feed: Feed, *, held: Callable[[], Collection[str]]) -> Universe:
    return Universe(
        ground.account.exchange,
        feed.data,
        ground.instruments,
        held=held,
        post=ground.inbox.post,
        clock=ground.clock,
        parameters=ground.settings.parameters().universe,
        blacklist=ground.settings.universe_blacklist,
    )


def _world(ground: Ground, feed: Feed) -> World:
    return World(
        mode=ground.settings.mode,
        axis=feed.axis,
        instruments=ground.instruments,
        store=feed.store,
        venues=_venues(ground.account, ground.instruments),
        clock=ground.clock,
        is_cut_off=lambda: ground.place.connection.is_cut_off,
        bars_entries=lambda: ground.place.connection.bars_entries,
    )


def _quarter_check(ground: Ground, feed: Feed, notifier: Notifier) -> QuarterCheck:
    return QuarterCheck(
        lambda: feed.data.axis.names,
        ground.place.connection.candles,
        feed.store,
        distrust=feed.data.distrust,
        notifier=notifier,
        clock=ground.clock,
    )


def _feed_watch(ground: Ground, feed: Feed, trader: Trader, notifier: Notifier) -> FeedWatch:
    return FeedWatch(
        feed.data,
        held=lambda: trader.held,
        unwritten=lambda: feed.archivist.loss,
        notifier=notifier,
        clock=ground.clock,
    )


def _letterbox(ground: Ground, operator: Operator, notifier: Notifier) -> Letterbox:
    return Letterbox(ground.records.folder / "wishes", operator, notifier=notifier, clock=ground.clock)


def _market_watch(ground: Ground, feed: Feed, operator: Operator, notifier: Notifier) -> MarketWatch:
    async def present() -> int:
        return (await ground.place.connection.examination.glance()).at

    return MarketWatch(
        lambda: feed.data.heard_ms, present, operator=operator, notifier=notifier, clock=ground.clock
    )


def _vital_signs(ground: Ground, notifier: Notifier) -> VitalSigns:
    return VitalSigns(
        ThisMachine(ground.records.folder),
        memory_limit=ground.settings.max_memory_mb * 2**20,
        notifier=notifier,
        clock=ground.clock,
    )


def _venues(account: Account, instruments: Mapping[str, Instrument]) -> Venues:
    """Give every book its venue; what is real on paper already needs no twin there."""

    def paper() -> PaperExchange:
        return PaperExchange(instruments, deposit=PAPER_DEPOSIT)

    virtual = paper()
    return Venues(
        real=account.execution,
        virtual=virtual,
        real_driver=account.paper,
        virtual_driver=virtual,
        twin=None if account.paper else paper(),
        shadow=paper,
    )


def _session(ground: Ground, feed: Feed, trader: Trader, vital: VitalSigns) -> Session:
    account = ground.account
    return Session(
        trader,
        ground.inbox,
        minutes=feed.archivist.following(feed.data),
        exchange=account.exchange,
        bookkeeper=ground.records.bookkeeper,
        clock=ground.clock,
        # On paper nothing happens between closed candles, so nothing may be decided there either.
        mark=feed.data.mark if account.paper is None else lambda _: None,
        execution=account.carrier,
        vital=vital,
    )
