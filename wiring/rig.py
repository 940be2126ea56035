"""A trader put into a place, with everything around it: the same in every mode."""

import os
from collections.abc import Mapping

from cli.app import TRY_AGAIN
from cli.watch import Watch
from cli.watched_run import Rig
from core.instruments import Instrument
from core.settings import Settings
from data.candle_store import CandleStore
from data.machine import ThisMachine
from exchange.paper import PaperExchange
from services.books import Venues
from services.data_service import DataService
from services.feed_watch import FeedWatch
from services.highlights import Highlights
from services.letterbox import Letterbox
from services.loop_guard import LoopGuard
from services.notifiers import Notifiers
from services.operator import Operator
from services.quarter_check import QuarterCheck
from services.session import SILENT_SECONDS, Inbox, MinuteSource, Session
from services.trader import Trader
from services.universe import Universe
from services.vital_signs import VitalSigns
from wiring.account import Account, account_of
from wiring.boarding import board
from wiring.fronts import discord_front, trade_drawer
from wiring.market import archived_data_service
from wiring.place import Place
from wiring.records import Records
from wiring.trader import PAPER_DEPOSIT, World, trader_in, universe_of

KEPT_MINUTES = 1500


async def rig_at(place: Place, settings: Settings, records: Records, watch: Watch) -> Rig:
    """Put everything together. Raises ``ModeRefused`` where the exchange's answers forbid to start."""
    inbox, clock = Inbox(), place.clock
    account = await account_of(settings, place, records, post=inbox.post)
    instruments = await account.exchange.instruments()
    axis = universe_of(settings, instruments, now_ms=clock.market_ms())
    store = CandleStore(axis, minutes=KEPT_MINUTES)
    highlights = Highlights(store)
    discord = discord_front(settings, clock, highlights)
    archivist, data = await archived_data_service(
        place.connection, axis, clock, post=inbox.post, folder=records.folder / "candles"
    )
    universe = Universe(
        account.exchange,
        data,
        instruments,
        held=lambda: trader.involved,
        post=inbox.post,
        clock=clock,
        parameters=settings.parameters().universe,
        blacklist=settings.universe_blacklist,
    )
    notifier = Notifiers([watch, highlights, universe, *([discord.notifier] if discord else [])])
    preflight = await board(settings, place, records, account, notifier=notifier, post=inbox.post)
    world = World(
        mode=settings.mode,
        axis=axis,
        instruments=instruments,
        store=store,
        venues=_venues(account, instruments),
        clock=clock,
        is_cut_off=lambda: place.connection.is_cut_off,
    )
    trader = trader_in(world, records, settings, notifier)
    check = QuarterCheck(
        lambda: data.axis.names,
        place.connection.candles,
        store,
        distrust=data.distrust,
        notifier=notifier,
        clock=clock,
    )
    feed = FeedWatch(
        data,
        held=lambda: trader.held,
        unwritten=lambda: archivist.lost,
        notifier=notifier,
        clock=clock,
    )
    vital = VitalSigns(
        ThisMachine(records.folder),
        memory_limit=settings.max_memory_mb * 2**20,
        notifier=notifier,
        clock=clock,
    )
    operator = Operator(inbox.post)
    letters = Letterbox(records.folder / "wishes", operator, clock)
    return Rig(
        trader=trader,
        session=_session(trader, inbox, place, account, records, data, archivist.following(data), vital),
        operator=operator,
        highlights=highlights,
        pace=place.pace,
        watch=watch,
        clock=clock,
        draw=trade_drawer(settings),
        is_loaded=lambda: trader.view().loaded + len(data.excluded) >= len(data.axis),
        beside=(
            LoopGuard(lambda: os._exit(TRY_AGAIN)).run(clock),
            vital.companions.of("universe", universe.run(), within=SILENT_SECONDS),
            vital.companions.of("quarter check", check.run(), within=SILENT_SECONDS),
            vital.companions.of("feed watch", feed.run(), within=SILENT_SECONDS),
            vital.companions.of("letterbox", letters.run(), within=SILENT_SECONDS),
            *preflight,
            *([discord.run(trader.view, operator)] if discord else []),
        ),
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


def _session(
    trader: Trader,
    inbox: Inbox,
    place: Place,
    account: Account,
    records: Records,
    data: DataService,
    minutes: MinuteSource,
    vital: VitalSigns,
) -> Session:
    return Session(
        trader,
        inbox,
        minutes=minutes,
        exchange=account.exchange,
        bookkeeper=records.bookkeeper,
        clock=place.clock,
        # On paper nothing happens between closed candles, so nothing may be decided there either.
        mark=data.mark if account.paper is None else lambda _: None,
        execution=account.carrier,
        vital=vital,
    )
