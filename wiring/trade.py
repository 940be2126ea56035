"""The trader on the account of the settings, until it is told to stop."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from cli.options import MarketOptions
from cli.reasons import refusal_text
from cli.watch import Watch
from cli.watched_run import Goal, WatchedRun
from core.clock import SystemClock
from core.errors import ModeRefused
from core.market import MINUTE_MS
from core.risk_state import Halt
from core.settings import Settings
from data.folder_notes import MOST_CRASHES, BootNote, ExchangeNote
from exchange.binance.transport import Transport
from wiring.modes import addresses_of, unused_keys
from wiring.place import Place, exchange_of
from wiring.records import Records, log_to, records_in
from wiring.rig import rig_at
from wiring.simulated import simulated

_OUR_MARKET = MarketOptions(speed=1, symbols=650, seed=1, data=None, start=None)


async def run_trade(
    settings: Settings, folder: Path, *, began: float, transport: Transport | None = None
) -> int:
    """Trade until interrupted; ``began`` is when the program started, in monotonic seconds.

    Raises ``ModeRefused`` where this account, this exchange and these settings do not go together.
    """
    clock = SystemClock()
    watch = Watch(f"trade {settings.mode}", minutes=None, clock=clock)
    boots = BootNote(folder / "boots.txt", clock)
    with records_in(folder, clock) as records:
        log_to(folder, settings)
        _check_exchange(settings, folder)
        if pause := boots.pause():
            watch.say(f"{boots.crashes()} runs ended badly in ten minutes: waiting {pause:.0f} s")
            await clock.sleep(pause)
        if unused := unused_keys(settings):
            watch.say(unused)
        watch.say(f"connecting: mode {settings.mode}, account {settings.account}, folder {folder}")
        async with _place(settings, folder, transport) as place:
            _check_time(records, place)
            _note_of(folder).claim(place.address)
            rig = await rig_at(place, settings, records, watch)
            _tell_of_halt(records, watch)
            if boots.crashes() >= MOST_CRASHES:
                rig.operator.halt("boot", Halt.CRASH_LOOP.value)
            boots.began()
            goal = Goal(title=f"trade {settings.mode}", minutes=None, speed=place.speed)
            code = await WatchedRun(rig, goal, folder, began=began).run()
            boots.ended()
            return code


def _place(
    settings: Settings, folder: Path, transport: Transport | None
) -> AbstractAsyncContextManager[Place]:
    if settings.starts_simulator:
        return simulated(_OUR_MARKET, folder)
    return exchange_of(settings, folder, sends_orders=settings.may_trade, transport=transport)


def _note_of(folder: Path) -> ExchangeNote:
    return ExchangeNote(folder / "exchange.txt")


def _check_exchange(settings: Settings, folder: Path) -> None:
    """What is written down about one exchange must not be taken for another's."""
    if settings.starts_simulator:
        return
    known, here = _note_of(folder).owner(), addresses_of(settings).rest
    if known and known != here:
        raise ModeRefused(
            f"{folder} holds an account at {known}, and this is {here}: choose another name by"
            " PERPSCOUT_ACCOUNT, or set BINANCE_REST_URL back."
        )


def _check_time(records: Records, place: Place) -> None:
    """A market that is back before the journal's end is another one, such as a simulator started anew."""
    with records.journal.reader() as reader:
        newest = reader.last_at()
    if place.glance.at < newest - MINUTE_MS:
        raise ModeRefused(
            f"The journal in {records.folder} ends later than this market's present: it is about another one,"
            " perhaps a simulator that was started anew. Choose another name by PERPSCOUT_ACCOUNT."
        )


def _tell_of_halt(records: Records, watch: Watch) -> None:
    """A halt outlives the run that it came in: who starts again should know why nothing is entered."""
    state = records.journal.risk_state()
    if state is not None and state.halted:
        reason = refusal_text(state.halted)
        watch.say(
            f"No entries since an earlier run ({reason}) until somebody resumes, on Discord or by"
            f" touch {records.folder / 'wishes' / 'resume'}"
        )
