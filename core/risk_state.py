"""What the risk gate remembers: halts, pauses, the day, the peak. A plain value, kept across restarts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from core.income import Income
from core.market import DAY_MS
from core.parameters import RiskParameters
from core.positions import ExitReason, Source
from core.trades import TradeRecord
from core.wallet import Wallet

_ZERO = Decimal(0)
_EXACT = Decimal("0.00000001")


class Halt(StrEnum):
    """Reasons of a halt that the program itself gives; an operator gives words of their own."""

    DRAWDOWN = "drawdown"
    SECOND_BOT = "second_bot"
    JOURNAL = "journal_failed"
    DAMAGED = "journal_damaged"
    PAUSED = "paused"
    PANIC = "panic"
    NOT_ALLOWED = "not_allowed"
    HEDGE_MODE = "hedge_mode"
    MULTI_ASSETS = "multi_assets"
    CAN_NOT_TRADE = "can_not_trade"
    SELF_TEST = "self_test"
    CRASH_LOOP = "crash_loop"
    ANOTHER_MARKET = "another_market"


class RiskNews(StrEnum):
    """What people should hear when the state changes; message keys."""

    HALTED = "risk_halted"
    PAUSED_BY_HAND = "paused"
    PAUSED_UNTIL = "paused_until"
    RESUMED = "risk_resumed"
    DRAWDOWN_ALERT = "drawdown_alert"
    PAUSED = "stops_pause"
    PANIC = "panic_begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """Why a symbol, or every one, takes no entries, and until when (ms)."""

    reason: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskState:
    """All of the gate's memory; times in market ms, money in USDT, days counted from 1970 in UTC.

    ``halted`` is the reason of a halt, empty while there is none: only an operator lifts it, but for a
    pause with an end, which ends at ``halted_until``; while ``panicking``, everything real is closed besides.
    ``entries_full_at`` is when the bucket of entries will be, or was, full again.
    """

    halted: str = ""
    halted_until: int = 0
    panicking: bool = False
    paused_until: int = 0
    day: int = -1
    day_opening_equity: Decimal = _ZERO
    realised_day: int = -1
    day_realised: Decimal = _ZERO
    peak_equity: Decimal = _ZERO
    drawdown_alerted: bool = False
    entries_full_at: int = 0
    cooldowns: Mapping[str, int] = field(default_factory=dict)
    recent_stops: tuple[int, ...] = ()
    blacklist: Mapping[str, Ban] = field(default_factory=dict)
    wallet: Wallet = field(default_factory=Wallet)

    def drawdown(self, equity: Decimal) -> Decimal:
        """Return how far ``equity`` is below the peak, as a fraction of it; 0 before any equity was read."""
        if self.peak_equity <= 0:
            return _ZERO
        return max(self.peak_equity - equity, _ZERO) / self.peak_equity

    def day_loss(self, equity: Decimal) -> Decimal:
        """Return what was lost since the day opened, realised or not; a gain is no loss."""
        return max(self.day_opening_equity - equity, _ZERO)

    def realised_on(self, at: int) -> Decimal:
        """Return the net result of the positions closed on the UTC day of ``at``."""
        return self.day_realised if self.realised_day == at // DAY_MS else _ZERO

    def entries_left(self, at: int, parameters: RiskParameters) -> int:
        """Return how many entries the bucket holds at ``at``."""
        missing = -(-max(self.entries_full_at - at, 0) // parameters.entry_interval_ms)
        return parameters.entry_capacity - missing

    def next_entry_at(self, parameters: RiskParameters) -> int:
        """Return from when on the bucket holds an entry; this may be past."""
        return self.entries_full_at - (parameters.entry_capacity - 1) * parameters.entry_interval_ms

    def is_cooling(self, symbol: str, at: int) -> bool:
        return self.cooldowns.get(symbol, 0) > at

    def is_blacklisted(self, symbol: str, at: int) -> bool:
        return symbol in self.blacklist and self.blacklist[symbol].until > at


def on_day_of(state: RiskState, at: int, *, equity: Decimal) -> RiskState:
    """Open the UTC day of ``at`` with ``equity``, unless it is open already."""
    day = at // DAY_MS
    return replace(state, day=day, day_opening_equity=equity) if day > state.day else state


def equity_read(state: RiskState, equity: Decimal, *, at: int, parameters: RiskParameters) -> RiskState:
    """Follow the account: the day's opening, the peak, the drawdown's alert and halt."""
    opened = on_day_of(state, at, equity=equity)
    seen = replace(opened, peak_equity=max(opened.peak_equity, equity))
    drawdown = seen.drawdown(equity)
    alerted = drawdown >= parameters.drawdown_alert
    still_alerted = seen.drawdown_alerted and drawdown >= parameters.drawdown_rearm
    alarmed = replace(seen, drawdown_alerted=alerted or still_alerted)
    return halted(alarmed, Halt.DRAWDOWN.value) if drawdown >= parameters.drawdown_halt else alarmed


def accounted(
    state: RiskState,
    incomes: Sequence[Income],
    *,
    wallet: Decimal,
    equity: Decimal,
    at: int,
    parameters: RiskParameters,
) -> RiskState:
    """Follow an account whose wallet ``incomes`` explain: what came or went is neither gain nor loss.

    The incomes of the first wallet ever read are what the account begins with.
    """
    moved = sum((each.amount for each in incomes if each.is_transfer), _ZERO)
    basis = transferred(state, moved, equity=equity) if state.wallet.is_known else state
    known = replace(basis, wallet=state.wallet.accounted(wallet, incomes, at=at))
    return equity_read(known, equity, at=at, parameters=parameters)


def transferred(state: RiskState, amount: Decimal, *, equity: Decimal) -> RiskState:
    """Take a deposit (or, negative, a withdrawal) out of loss and drawdown; ``equity`` contains it already.

    Both limits are shares, so peak and opening grow by the share that equity did: half of the money gone is
    neither half a loss nor twice the drawdown there was.
    """
    before = equity - amount
    if state.day < 0 or not amount:
        return state
    if before <= 0:  # nothing was left that could have been lost
        return replace(state, day_opening_equity=equity, peak_equity=equity)
    grown = max(equity, _ZERO) / before
    return replace(
        state,
        day_opening_equity=(state.day_opening_equity * grown).quantize(_EXACT),
        peak_equity=(state.peak_equity * grown).quantize(_EXACT),
    )


def entered(state: RiskState, at: int, parameters: RiskParameters) -> RiskState:
    """Take one entry out of the bucket. It stays taken if nothing comes of the entry."""
    full_at = max(state.entries_full_at, at) + parameters.entry_interval_ms
    return replace(state, entries_full_at=full_at)


def closed(state: RiskState, trade: TradeRecord, parameters: RiskParameters) -> RiskState:
    """Remember what a real position brought, and cool down after a stop."""
    at = trade.position.closed_at
    if trade.source is not Source.REAL or at is None:
        return state
    booked = replace(
        state, realised_day=at // DAY_MS, day_realised=state.realised_on(at) + trade.position.net_pnl
    )
    if trade.exit_reason is not ExitReason.STOP or trade.net_r >= parameters.stop_below_r:
        return booked
    return _stopped(booked, trade.symbol, at, parameters)


def amended(state: RiskState, closed_at: int, amount: Decimal) -> RiskState:
    """Add what a position brought after it had closed: its funding is told later than its end."""
    if state.realised_day != closed_at // DAY_MS:
        return state
    return replace(state, day_realised=state.day_realised + amount)


def halted(state: RiskState, reason: str) -> RiskState:
    """Take no entries until an operator resumes; the first reason stands, unless it was to end by itself."""
    stands = state.halted and not state.halted_until
    return state if stands else replace(state, halted=reason, halted_until=0)


def paused(state: RiskState, until: int) -> RiskState:
    """Take no entries until then (ms); a halt without an end stays one."""
    stands = state.halted and not state.halted_until
    return state if stands else replace(state, halted=Halt.PAUSED.value, halted_until=until)


def lapsed(state: RiskState, at: int) -> RiskState:
    """Lift a pause whose end has come."""
    is_over = 0 < state.halted_until <= at
    return replace(state, halted="", halted_until=0) if is_over else state


def panicked(state: RiskState) -> RiskState:
    """Halt, whatever else has halted before, and leave everything."""
    return replace(halted(state, Halt.PANIC.value), panicking=True)


def resumed(state: RiskState, *, equity: Decimal, parameters: RiskParameters) -> RiskState:
    """Lift halt and panic. After a drawdown the peak starts anew here; a pause after stops runs its time."""
    lifted = replace(state, halted="", halted_until=0, panicking=False)
    if state.drawdown(equity) < parameters.drawdown_halt:
        return lifted
    return replace(lifted, peak_equity=equity, drawdown_alerted=False)


def blacklisted(state: RiskState, symbol: str, ban: Ban) -> RiskState:
    """Keep a symbol out, whatever its signals, until the ban ends."""
    return replace(state, blacklist={**state.blacklist, symbol: ban})


def news(before: RiskState, after: RiskState) -> tuple[RiskNews, ...]:
    """Say what changed that people should hear, the gravest first."""
    is_halt_new = bool(after.halted) and _halt(after) != _halt(before)
    is_by_hand = after.halted == Halt.PAUSED
    changes = (
        (RiskNews.HALTED, is_halt_new and not is_by_hand),
        (RiskNews.PAUSED_BY_HAND, is_halt_new and is_by_hand and not after.halted_until),
        (RiskNews.PAUSED_UNTIL, is_halt_new and is_by_hand and bool(after.halted_until)),
        (RiskNews.PANIC, after.panicking and not before.panicking and not is_halt_new),
        (RiskNews.RESUMED, bool(before.halted) and not after.halted),
        (RiskNews.DRAWDOWN_ALERT, after.drawdown_alerted and not before.drawdown_alerted),
        (RiskNews.PAUSED, after.paused_until > before.paused_until),
    )
    return tuple(key for key, happened in changes if happened)


def _stopped(state: RiskState, symbol: str, at: int, parameters: RiskParameters) -> RiskState:
    recent = (*(stop for stop in state.recent_stops if stop >= at - parameters.stops_window_ms), at)
    pause = at + parameters.pause_ms if len(recent) >= parameters.max_stops else 0
    cooling = {name: until for name, until in state.cooldowns.items() if until > at}
    return replace(
        state,
        recent_stops=recent,
        paused_until=max(state.paused_until, pause),
        cooldowns=cooling | {symbol: at + parameters.cooldown_ms},
    )


def _halt(state: RiskState) -> tuple[str, int]:
    """Return what is halted for and until when: a pause made longer is news."""
    return state.halted, state.halted_until
