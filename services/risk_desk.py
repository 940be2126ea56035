"""The account, the track record and the risk gate at one desk: ranks signals and gives verdicts."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from core.correlation import Correlations, correlate
from core.exposure import exposure_of
from core.income import Income
from core.instruments import Instrument
from core.market import MinuteClosed
from core.notices import Alert, Severity
from core.orders import AccountRead
from core.parameters import Parameters
from core.ports import Journal, Scorer
from core.positions import Position, PositionPlan, Source
from core.ranking import rank
from core.risk import AccountContext, Approved, judge
from core.risk_state import (
    Ban,
    RiskNews,
    RiskState,
    accounted,
    amended,
    blacklisted,
    closed,
    equity_read,
    halted,
    lapsed,
    news,
    panicked,
    paused,
    resumed,
)
from core.signals import Candidate, RankedSignal
from core.sizing import plan_position
from core.symbols import SymbolContext, market_objections
from core.trades import TradeRecord
from core.verdicts import Reason, Refused, in_order
from core.views import BalanceView
from data.candle_store import CandleStore
from services.closed_trades import ClosedTrades
from services.refusals import BAN_MS, Refusals
from services.scoring import ModelOrExperience

_GRAVE = {RiskNews.HALTED, RiskNews.PANIC}


class RiskDesk:
    """Holds the risk state as a value and lets only the pure rules of ``core`` change it."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        store: CandleStore,
        parameters: Parameters,
        *,
        trades: bool = True,
        scorer: Scorer | None = None,
        is_cut_off: Callable[[], bool] = lambda: False,
        bars_entries: Callable[[], bool] = lambda: False,
    ) -> None:
        """``scorer`` is what is learned from closed trades where none is given; ``is_cut_off`` tells whether
        the exchange has stopped answering, ``bars_entries`` whether what an entry needs of it has.
        """
        self._instruments = instruments
        self._store = store
        self.parameters = parameters
        self._trades = trades
        self._model = ModelOrExperience(scorer, lambda: self.closed_trades.experience) if scorer else None
        self._is_cut_off = is_cut_off
        self._bars_entries = bars_entries
        self._state = RiskState()
        self._account: AccountRead | None = None
        self._seen: AccountRead | None = None
        self.closed_trades = ClosedTrades(parameters)
        self._refusals = Refusals()

    # --- news ---------------------------------------------------------------------------------------

    def account(self, read: AccountRead, incomes: Sequence[Income] = ()) -> Sequence[Alert]:
        """Follow an account whose wallet ``incomes`` account for; returns what people should hear of it."""
        self._account, risk = read, self.parameters.risk
        if read.is_paper:
            return self._move(equity_read(self._state, read.equity, at=read.at, parameters=risk), read.at)
        after = accounted(
            self._state, incomes, wallet=read.wallet, equity=read.equity, at=read.at, parameters=risk
        )
        return self._move(after, read.at)

    def see(self, read: AccountRead) -> None:
        """Take note of what the account holds, whether or not its equity can be judged yet."""
        self._seen = read

    def follow(self, instruments: Mapping[str, Instrument]) -> None:
        """Judge by these contracts from now on."""
        self._instruments = instruments

    def entry_refused(self, symbol: str, reason: str, at: int) -> Sequence[Alert]:
        """Count an entry that came to nothing; a symbol that keeps refusing is kept out for a while."""
        if not self._refusals.is_last_straw(symbol, at):
            return ()
        self._state = blacklisted(self._state, symbol, Ban(reason=reason, until=at + BAN_MS))
        return [Alert(key="blacklisted", severity=Severity.WARNING, at=at, symbol=symbol, text=reason)]

    def closed(self, trade: TradeRecord) -> Sequence[Alert]:
        """Learn from a closed position of any book."""
        self.closed_trades.learn(trade)
        return self._move(self.state_after(trade), trade.position.closed_at or 0)

    def amended(self, trade: TradeRecord, amount: Decimal) -> None:
        """Take note that a closed position of ours brought ``amount`` more than was known."""
        self.closed_trades.amend(trade)
        self._state = amended(self._state, trade.position.closed_at or 0, amount)

    def state_after(self, trade: TradeRecord) -> RiskState:
        """Return what ``closed`` will make of the state, so that both can be written in one transaction."""
        return closed(self._state, trade, self.parameters.risk)

    def halt(self, reason: str, at: int) -> Sequence[Alert]:
        """Take no more entries until somebody resumes."""
        return self._move(halted(self._state, reason), at)

    def pause(self, until: int, at: int) -> Sequence[Alert]:
        """Take no more entries until then (ms), or until somebody resumes."""
        return self._move(paused(self._state, until), at)

    def lapse(self, at: int) -> Sequence[Alert]:
        """Lift a pause whose end has come."""
        return self._move(lapsed(self._state, at), at)

    def panic(self, at: int) -> Sequence[Alert]:
        """Take no more entries and hold nothing until somebody resumes."""
        return self._move(panicked(self._state), at)

    def resume(self, at: int) -> Sequence[Alert]:
        """Take entries again; without an equity to judge a drawdown by, the next one read decides."""
        equity = self._account.equity if self._account else self._state.peak_equity
        return self._move(resumed(self._state, equity=equity, parameters=self.parameters.risk), at)

    def recall(self, journal: Journal) -> None:
        """Take up what earlier runs learned, and the risk state they left."""
        self.closed_trades.recall(journal)
        self._state = journal.risk_state() or self._state

    # --- verdicts -----------------------------------------------------------------------------------

    def rank(self, candidates: Sequence[Candidate], minute: MinuteClosed) -> tuple[RankedSignal, ...]:
        """Order what may be traded; nothing ranks before the account was read."""
        if self._account is None or not candidates:
            return ()
        contexts = {each.symbol: self.context(each.symbol, minute) for each in candidates}
        return rank(
            candidates,
            contexts,
            equity=self._account.equity,
            leverage=self.closed_trades.earned_leverage(),
            scorer=self._model or self.closed_trades.experience,
            parameters=self.parameters,
        )

    def judge(
        self, signal: RankedSignal, minute: MinuteClosed, positions: Mapping[str, Position]
    ) -> PositionPlan | Refused:
        """Ask the risk gate for a real position; an approval counts from now on."""
        account = self._surroundings(minute, positions, signal.candidate.symbol)
        if account is None:
            return Refused(reasons=(Reason.EQUITY_STALE,))
        verdict = judge(
            signal,
            self.context(signal.candidate.symbol, minute),
            account=account,
            exposure=exposure_of(
                positions.values(), marks=_marks(minute, positions), costs=self.parameters.costs
            ),
            state=self._state,
            parameters=self.parameters,
        )
        if isinstance(verdict, Approved):
            self._state = verdict.state
            return verdict.plan
        return verdict

    def judge_virtual(
        self, signal: RankedSignal, minute: MinuteClosed, positions: Mapping[str, Position]
    ) -> PositionPlan | Refused:
        """Plan a virtual position: the same market and size, but no account that could run out."""
        context = self.context(signal.candidate.symbol, minute)
        if self._account is None:
            return Refused(reasons=(Reason.EQUITY_STALE,))
        reasons = set(market_objections(context, at=minute.seen_at, parameters=self.parameters.universe))
        if signal.candidate.symbol in positions:
            reasons.add(Reason.SYMBOL_HELD)
        if len(positions) >= self.parameters.ranking.max_virtual:
            reasons.add(Reason.NO_ROOM)
        if reasons:
            return Refused(reasons=in_order(reasons))
        return plan_position(
            signal,
            context,
            source=Source.VIRTUAL,
            at=minute.seen_at,
            equity=self._account.equity,
            parameters=self.parameters,
        )

    # --- pictures -----------------------------------------------------------------------------------

    @property
    def equity(self) -> Decimal | None:
        return self._account.equity if self._account else None

    @property
    def is_cut_off(self) -> bool:
        """Whether the exchange has stopped answering."""
        return self._is_cut_off()

    @property
    def account_read(self) -> AccountRead | None:
        """The account as last read, ``None`` before."""
        return self._account

    @property
    def state(self) -> RiskState:
        """The gate's memory, to be written down whenever it has changed."""
        return self._state

    @property
    def halted(self) -> str:
        return self._state.halted

    @property
    def is_panicking(self) -> bool:
        return self._state.panicking

    def context(self, symbol: str, minute: MinuteClosed) -> SymbolContext:
        """Return one symbol as it is judged this minute. Raises ``KeyError`` for one that is not followed."""
        column = minute.index_of(symbol)
        if column is None:
            raise KeyError(symbol)
        return SymbolContext.of(
            self._instruments[symbol],
            minute.context,
            column=column,
            gapped=not minute.present[column],
        )

    def is_foreign(self, symbol: str, ours: Container[str]) -> bool:
        """Whether others hold, or may hold, a symbol by the newest read; ``ours`` are held by us.

        What we have left since that read is nobody else's, but what lay there beside it is.
        """
        seen = self._seen or self._account
        if seen is None or symbol in ours:
            return False
        held = (each for each in seen.positions if each.symbol == symbol)
        return seen.may_hold(symbol) or not all(self.closed_trades.explain(each, seen.at) for each in held)

    def day_pnl(self, at: int) -> Decimal:
        """Return today's realised net of real positions."""
        return self._state.realised_on(at)

    def balance(self, positions: Iterable[Position]) -> BalanceView | None:
        """Return the account as last read, ``None`` before."""
        read = self._account
        if read is None:
            return None
        exposure = exposure_of(positions, marks={}, costs=self.parameters.costs)
        return BalanceView(
            wallet=read.wallet,
            equity=read.equity,
            available=read.available,
            margin_used=exposure.margin,
            peak_equity=self._state.peak_equity,
            drawdown=float(self._state.drawdown(read.equity)),
            day_pnl=self.day_pnl(read.at),
            at=read.at,
        )

    # --- inside -------------------------------------------------------------------------------------

    def _move(self, after: RiskState, at: int) -> Sequence[Alert]:
        before, self._state = self._state, after
        return [
            Alert(
                key=key.value,
                severity=Severity.CRITICAL if key in _GRAVE else Severity.WARNING,
                at=at,
                text=_detail(key, after),
            )
            for key in news(before, after)
        ]

    def _surroundings(
        self, minute: MinuteClosed, positions: Mapping[str, Position], symbol: str
    ) -> AccountContext | None:
        read = self._account
        if read is None:
            return None
        return AccountContext(
            at=max(minute.at, minute.seen_at),
            equity=read.equity,
            equity_at=read.at,
            available=read.available,
            correlations=self._correlations((symbol, *positions)),
            trades=self._trades,
            breaker_open=self._bars_entries(),
            is_foreign=self.is_foreign(symbol, positions),
        )

    def _correlations(self, symbols: Sequence[str]) -> Correlations:
        names = tuple(dict.fromkeys(symbols))
        bars = self.parameters.risk.correlation_bars
        closes = np.column_stack([self._store.closes_15m(name, bars + 1) for name in names])
        return correlate(names, closes, bars=bars)


def _detail(key: RiskNews, state: RiskState) -> str:
    match key:
        case RiskNews.HALTED:
            return state.halted
        case RiskNews.PAUSED_UNTIL:
            return f"{datetime.fromtimestamp(state.halted_until / 1000, UTC):%Y-%m-%d %H:%M} UTC"
        case _:
            return ""


def _marks(minute: MinuteClosed, positions: Mapping[str, Position]) -> Mapping[str, Decimal]:
    candles = {symbol: minute.candle(symbol) for symbol in positions}
    return {symbol: candle.close for symbol, candle in candles.items() if candle}
