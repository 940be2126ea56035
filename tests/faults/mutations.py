"""Safeguards, each taken away: a storm that does not notice would be no proof of anything."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

import core.lifecycle
import core.lifecycle_protection
import services.book
import services.candle_buffer
import services.market_intake
from core.errors import ExchangeRefused, ExchangeUnavailable
from core.lifecycle_fills import on_filled
from core.lifecycle_moves import LifecycleParameters, Step, finished
from core.notices import Notice
from core.order_ids import role_of
from core.orders import (
    AccountRead,
    CancelConditional,
    Command,
    OrderAbsent,
    OrderFilled,
    ReadContract,
    Report,
    RestingConditional,
    Role,
    SubmitEntry,
)
from core.positions import ExitReason, Position, Stage
from core.risk import AccountContext
from exchange.binance import transport
from exchange.binance.futures import BinanceFutures
from exchange.binance.rest import BinanceRest
from exchange.limits.weight import WeightLimiter
from exchange.sim.server.faults.catalogue import MarketFault, MinuteFault, RestFault, StreamFault
from exchange.sim.server.faults.plan import Rule
from services.book import Book
from services.bookkeeping import Bookkeeper
from services.clerk import Clerk
from services.execution import ExecutionService
from services.helm import Helm
from services.journal_guard import JournalGuard
from services.minute_barrier import MinuteBarrier
from services.notifiers import Notifiers
from services.risk_desk import RiskDesk
from tests.faults.aimed import again_and_again, streamed, struck_by
from tests.faults.deeds import Appointment, Deed
from tests.faults.plan import Weather
from tests.faults.power import StormJournal

Mutation = Callable[[pytest.MonkeyPatch], None]


def intent_after_order(patch: pytest.MonkeyPatch) -> None:
    """Write every step down together with the next one, when its orders are long gone."""
    write = Book._write
    late: dict[int, tuple[Step, dict[str, Any]]] = {}

    def write_behind(self: Book, step: Step, **rest: Any) -> None:
        before = late.pop(id(self), None)
        if before is not None:
            write(self, before[0], **before[1])
        late[id(self)] = (step, rest)

    patch.setattr(Book, "_write", write_behind)


def resend_without_a_query(patch: pytest.MonkeyPatch) -> None:
    """Send an entry again when nothing came back, as retrying libraries do."""
    ask = ExecutionService._ask

    async def ask_twice(self: ExecutionService, command: Command) -> Sequence[Report]:
        try:
            return await ask(self, command)
        except ExchangeUnavailable:
            if isinstance(command, SubmitEntry):
                return await ask(self, command)
            raise

    patch.setattr(ExecutionService, "_ask", ask_twice)


def no_stop_check(patch: pytest.MonkeyPatch) -> None:
    """Send a stop once, and never look whether it is there."""

    def unwatched(position: Position, parameters: LifecycleParameters, mono: float) -> Step:
        return Step(position=position)

    patch.setitem(core.lifecycle._WATCHES, Stage.PROTECTING, unwatched)
    patch.setattr(core.lifecycle, "watch_protecting", unwatched)
    patch.setattr(services.book, "lost_protections", lambda *_: ())


def no_orphan_sweep(patch: pytest.MonkeyPatch) -> None:
    """Leave behind whatever rests when a position has ended."""

    async def keep(self: BinanceFutures, conditional: CancelConditional) -> None: ...

    patch.setattr(BinanceFutures, "cancel", keep)


def not_found_is_absent(patch: pytest.MonkeyPatch) -> None:
    """Take the first "not found" for proof that an entry was never placed."""
    on_report = core.lifecycle.on_report

    def believe(position: Position, report: Report, parameters: LifecycleParameters, *, mono: float) -> Step:
        is_entry = isinstance(report, OrderAbsent) and role_of(report.client_order_id) is Role.ENTRY
        if is_entry and not position.fills:
            return finished(replace(position, exit_reason=ExitReason.NOT_PLACED), report.at, mono)
        return on_report(position, report, parameters, mono=mono)

    patch.setattr(core.lifecycle, "on_report", believe)


def failed_read_is_flat(patch: pytest.MonkeyPatch) -> None:
    """Take an account that can not be read for one that holds nothing."""
    read = BinanceFutures.account

    async def read_something(self: BinanceFutures) -> AccountRead:
        try:
            return await read(self)
        except (ExchangeUnavailable, ExchangeRefused):
            nothing = Decimal(10_000)
            return AccountRead(
                wallet=nothing,
                equity=nothing,
                available=nothing,
                positions=(),
                at=self._clock.market_ms(),
            )

    patch.setattr(BinanceFutures, "account", read_something)


def terms_once_and_for_all(patch: pytest.MonkeyPatch) -> None:
    """Keep the steps and ticks that were in force when a position was planned."""

    async def nothing_new(self: ExecutionService, command: ReadContract) -> Sequence[Report]:
        return ()

    patch.setattr(ExecutionService, "_read_contract", nothing_new)
    patch.setattr(Book, "follow", lambda *_: None)


def everything_is_ours(patch: pytest.MonkeyPatch) -> None:
    """Clear away whatever rests on a symbol of ours and is not what we expect."""

    def on_symbol(symbol: str, resting: Iterable[RestingConditional], _: object) -> Sequence[object]:
        return tuple(each for each in resting if each.symbol == symbol)

    patch.setattr(services.book, "ours_on", on_symbol)
    patch.setattr(core.lifecycle_protection, "CLIENT_ID_PREFIX", "")


def nobody_else_trades(patch: pytest.MonkeyPatch) -> None:
    """Enter where somebody else holds something."""
    surroundings = RiskDesk._surroundings

    def blind(self: RiskDesk, *arguments: Any) -> AccountContext | None:
        seen = surroundings(self, *arguments)
        return seen and replace(seen, is_foreign=False)

    patch.setattr(RiskDesk, "_surroundings", blind)


def never_compare(patch: pytest.MonkeyPatch) -> None:
    """Believe what was booked, whatever the account shows: a liquidation nobody told of never happened."""
    patch.setattr(Book, "_compare", lambda *_: None)


def go_on_through_a_pause(patch: pytest.MonkeyPatch) -> None:
    """Note that somebody wants no entries, and take them."""
    patch.setattr(RiskDesk, "halt", lambda *_, **__: ())


def panic_without_closing(patch: pytest.MonkeyPatch) -> None:
    """Take no entries after a panic, and keep what is held."""
    patch.setattr(Helm, "keep_course", lambda _: None)


def fronts_may_raise(patch: pytest.MonkeyPatch) -> None:
    """Let the fault of whoever tells people reach whoever trades."""

    def tell(self: Notifiers, notice: Notice) -> None:
        for front in self._fronts:
            front.notify(notice)

    patch.setattr(Notifiers, "notify", tell)


def funding_is_booked_as_told(patch: pytest.MonkeyPatch) -> None:
    """Add funding each time that it is listed, whatever its id."""

    def with_funding(self: Position, amount: Decimal, _: str) -> Position:
        return replace(self, funding=self.funding + amount)

    patch.setattr(Position, "with_funding", with_funding)


def funding_ends_with_the_position(patch: pytest.MonkeyPatch) -> None:
    """Pass over funding that is told after its position has closed."""
    patch.setattr(Clerk, "_fund_closed", lambda *_: None)


def rows_are_written_once(patch: pytest.MonkeyPatch) -> None:
    """Forget the rows that the trade log did not take."""
    flush = Bookkeeper.flush

    def flush_and_forget(self: Bookkeeper) -> None:
        flush(self)
        self._waiting.clear()

    patch.setattr(Bookkeeper, "flush", flush_and_forget)


def the_journal_must_be_written(patch: pytest.MonkeyPatch) -> None:
    """Let nothing leave that can not be written down, closes and stops among it."""
    patch.setattr(JournalGuard, "append", JournalGuard._write)


def trust_the_clock(patch: pytest.MonkeyPatch) -> None:
    """Never ask what time it is at the exchange."""

    async def know_better(self: BinanceRest) -> None: ...

    patch.setattr(BinanceRest, "synchronise_clock", know_better)


def every_message_counts(patch: pytest.MonkeyPatch) -> None:
    """Book an execution as often as it is told."""
    once, told = on_filled, count()

    def again(position: Position, report: OrderFilled, parameters: LifecycleParameters, mono: float) -> Step:
        other = replace(report, trade_id=f"{report.trade_id}-{next(told)}")
        return once(position, other, parameters, mono)

    patch.setattr(core.lifecycle, "on_filled", again)


def ask_inside_a_ban(patch: pytest.MonkeyPatch) -> None:
    """Go on asking when told to stay away."""
    patch.setattr(WeightLimiter, "close_for", lambda *_: None)


def show_whole_addresses(patch: pytest.MonkeyPatch) -> None:
    """Name the whole address of what failed, signature and all."""
    patch.setattr(transport, "shown", lambda url: url)


def take_settings_for_granted(patch: pytest.MonkeyPatch) -> None:
    """Enter without setting margin mode and leverage, and without reading them back."""

    async def say_so(self: BinanceFutures, symbol: str, leverage: int) -> int:
        return leverage

    patch.setattr(BinanceFutures, "prepare", say_so)


def forget_at_a_restart(patch: pytest.MonkeyPatch) -> None:
    """Start every life with empty books."""
    patch.setattr(StormJournal, "live_positions", lambda _: ())


def candles_as_they_come(patch: pytest.MonkeyPatch) -> None:
    """Decide on whatever the stream calls a candle."""
    for module in (services.candle_buffer, services.market_intake):
        patch.setattr(module, "is_sound", lambda _: True)


def gaps_do_not_matter(patch: pytest.MonkeyPatch) -> None:
    """Go on with a symbol that has missed a minute as if it had not."""
    publish_next = MinuteBarrier._publish_next

    def stay_live(self: MinuteBarrier) -> None:
        before = self.live
        publish_next(self)
        self.live = before.copy()

    patch.setattr(MinuteBarrier, "_publish_next", stay_live)


_UNANSWERED = RestFault.UNKNOWN_503
_ORDER = "/fapi/v1/order"

AIMED: Mapping[str, Callable[[int], Weather]] = {
    "not found is not absent": struck_by(
        Rule(fault=_UNANSWERED, match=f"POST {_ORDER}", rate=0.3, executed=True),
        Rule(fault=RestFault.NOT_FOUND_YET, match=f"GET {_ORDER}", rate=0.25),
        Rule(fault=StreamFault.EVENT_MISSING, rate=0.2),
    ),
    "a failed read is not flat": struck_by(
        Rule(fault=RestFault.ERROR_1001, match="/fapi/v3/account", rate=0.9),
        Rule(fault=_UNANSWERED, match=f"POST {_ORDER}", at=frozenset({1, 2}), executed=True),
        Rule(fault=RestFault.NOT_FOUND_YET, match=f"GET {_ORDER}", at=frozenset(range(1, 13))),
        Rule(fault=StreamFault.EVENT_MISSING, rate=0.15),
    ),
    "terms are read again after a filter error": struck_by(Rule(fault=MinuteFault.FILTERS_CHANGED, rate=0.4)),
    "only what is ours is cancelled": again_and_again(Deed.RESTS),
    "no entry where somebody else holds": again_and_again(Deed.OPENS),
    "what is believed is held against the account": again_and_again(
        Deed.LIQUIDATED, beside=(Rule(fault=StreamFault.EVENT_MISSING, rate=0.5),)
    ),
    "a pause keeps entries out": again_and_again(Deed.PAUSE),
    "a panic closes everything": lambda seed: Weather(
        seed=seed, deeds=(Appointment(at=25.0, deed=Deed.PANIC, size=1.0),)
    ),
    "a front's fault is nothing to trading": again_and_again(Deed.FRONT_BREAKS),
    "rows wait for the trade log": again_and_again(Deed.LOG_BREAKS),
    "exits leave though the journal fails": lambda seed: Weather(seed=seed, disk_full=(15.0, 60.0)),
    "the clock is set right": again_and_again(Deed.SET_CLOCK),
    "an execution counts once": struck_by(Rule(fault=StreamFault.EVENT_TWICE, rate=0.3)),
    "nobody asks inside a ban": struck_by(Rule(fault=RestFault.BAN, rate=0.01, times=2)),
    "addresses are shown without what they carry": struck_by(Rule(fault=RestFault.LOSE_REPLY, rate=0.6)),
    "a restart takes up what is open": again_and_again(Deed.KILL),
    "unsound candles are passed over": streamed(MarketFault.CANDLE_NAN, MarketFault.CANDLE_CROSSED),
    "a symbol with a gap is absent": streamed(MarketFault.CANDLE_MISSING),
}
"""Storms that find the lack of a safeguard soon; the others are sought in storms of all kinds."""

MUTATIONS: Mapping[str, Mutation] = {
    "intent before order": intent_after_order,
    "query before resend": resend_without_a_query,
    "stop check": no_stop_check,
    "orphan sweep": no_orphan_sweep,
    "not found is not absent": not_found_is_absent,
    "a failed read is not flat": failed_read_is_flat,
    "terms are read again after a filter error": terms_once_and_for_all,
    "only what is ours is cancelled": everything_is_ours,
    "funding is booked once": funding_is_booked_as_told,
    "funding told late amends its row": funding_ends_with_the_position,
    "no entry where somebody else holds": nobody_else_trades,
    "what is believed is held against the account": never_compare,
    "a pause keeps entries out": go_on_through_a_pause,
    "a panic closes everything": panic_without_closing,
    "a front's fault is nothing to trading": fronts_may_raise,
    "rows wait for the trade log": rows_are_written_once,
    "exits leave though the journal fails": the_journal_must_be_written,
    "the clock is set right": trust_the_clock,
    "an execution counts once": every_message_counts,
    "nobody asks inside a ban": ask_inside_a_ban,
    "addresses are shown without what they carry": show_whole_addresses,
    "settings are made and read back": take_settings_for_granted,
    "a restart takes up what is open": forget_at_a_restart,
    "unsound candles are passed over": candles_as_they_come,
    "a symbol with a gap is absent": gaps_do_not_matter,
}
