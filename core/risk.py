"""The risk gate: the one way from a signal, whatever its source, to a position with real money."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isnan

from core.correlation import Correlations
from core.exposure import Exposure, Holding, holding_of_plan
from core.market import DAY_MS
from core.parameters import Parameters, RiskParameters
from core.positions import PositionPlan, Source
from core.risk_state import Ban, RiskState, entered, on_day_of
from core.signals import Candidate, RankedSignal
from core.sizing import loss_of_plan, plan_position
from core.symbols import SymbolContext, market_objections
from core.verdicts import Reason, Refused, in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountContext:
    """The account and its surroundings at ``at`` (market ms); amounts in USDT.

    ``equity`` and ``available`` were read at ``equity_at``; ``is_foreign`` says that somebody else holds the
    symbol, or may; ``trades`` whether this mode may open positions at all.
    """

    at: int
    equity: Decimal
    equity_at: int
    available: Decimal
    correlations: Correlations
    trades: bool = True
    breaker_open: bool = False
    is_foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Yes; slot, symbol, margin, risk and entry are reserved in what the next signal is judged against."""

    plan: PositionPlan
    exposure: Exposure
    state: RiskState


Verdict = Approved | Refused


def judge(
    signal: RankedSignal,
    context: SymbolContext,
    *,
    account: AccountContext,
    exposure: Exposure,
    state: RiskState,
    parameters: Parameters,
) -> Verdict:
    """Approve a signal with its plan, or refuse it with every reason there is.

    A signal that could not be sized is still judged by all else, as if it added nothing.
    """
    plan = plan_position(
        signal, context, source=Source.REAL, at=account.at, equity=account.equity, parameters=parameters
    )
    today = on_day_of(state, account.at, equity=account.equity)
    after = exposure
    if isinstance(plan, PositionPlan):
        loss = loss_of_plan(plan, context, parameters)
        after = exposure.reserved(holding_of_plan(plan, loss_at_stop=loss))
    reasons = {
        *_account_objections(account, today, parameters.risk),
        *_limit_objections(after, account, state=today, parameters=parameters),
        *_symbol_objections(context, account, state=today, parameters=parameters),
        *_signal_objections(signal, account, parameters=parameters),
        *_crowding_objections(signal.candidate, exposure, account=account, parameters=parameters.risk),
    }
    if isinstance(plan, Refused):
        return Refused(reasons=in_order(reasons.union(plan.reasons)))
    if reasons:
        return Refused(reasons=in_order(reasons))
    return Approved(plan=plan, exposure=after, state=entered(today, account.at, parameters.risk))


def barred_for_a_while(
    state: RiskState, equity: Decimal, *, at: int, parameters: RiskParameters
) -> Ban | None:
    """Return what forbids every entry at ``at`` and ends by itself, the last to end; no halts."""
    today = on_day_of(state, at, equity=equity)
    bans = [
        Ban(reason=Reason.STOPS_IN_A_ROW, until=today.paused_until),
        Ban(reason=Reason.TOO_MANY_ENTRIES, until=today.next_entry_at(parameters)),
    ]
    if today.day_loss(equity) >= parameters.max_day_loss * today.day_opening_equity:
        bans.append(Ban(reason=Reason.DAY_LOSS, until=(at // DAY_MS + 1) * DAY_MS))
    last = max(bans, key=lambda ban: ban.until)
    return last if last.until > at else None


def _account_objections(
    account: AccountContext, state: RiskState, parameters: RiskParameters
) -> Iterator[Reason]:
    """Yield what forbids every entry now."""
    if state.halted:
        yield Reason.HALTED
    if not account.trades:
        yield Reason.MODE_DOES_NOT_TRADE
    if account.at - account.equity_at > parameters.max_equity_age_ms:
        yield Reason.EQUITY_STALE
    if account.breaker_open:
        yield Reason.BREAKER_OPEN
    if state.drawdown(account.equity) >= parameters.drawdown_halt:
        yield Reason.DRAWDOWN
    if state.entries_left(account.at, parameters) < 1:
        yield Reason.TOO_MANY_ENTRIES
    if state.paused_until > account.at:
        yield Reason.STOPS_IN_A_ROW


def _limit_objections(
    after: Exposure, account: AccountContext, *, state: RiskState, parameters: Parameters
) -> Iterator[Reason]:
    """Yield the limits of the account that would be broken, were the signal's share added."""
    limits, equity = parameters.risk, account.equity
    worst_day = state.day_loss(equity) + after.loss_at_stops
    if worst_day > limits.max_day_loss * state.day_opening_equity:
        yield Reason.DAY_LOSS
    if after.margin > limits.max_total_margin * equity:
        yield Reason.TOTAL_MARGIN
    if after.notional > limits.max_gross_notional * equity:
        yield Reason.GROSS_NOTIONAL
    unfunded = after.unfunded(account.equity_at)
    if unfunded.margin + parameters.costs.taker_fee * unfunded.notional > account.available:
        yield Reason.AVAILABLE_BALANCE


def _symbol_objections(
    context: SymbolContext, account: AccountContext, *, state: RiskState, parameters: Parameters
) -> Iterator[Reason]:
    """Yield what is wrong with the symbol, whatever its signal."""
    symbol, at = context.instrument.symbol, account.at
    yield from market_objections(context, at=at, parameters=parameters.universe)
    if context.gapped:
        yield Reason.DATA_GAPPED
    if state.is_cooling(symbol, at):
        yield Reason.COOLDOWN
    if state.is_blacklisted(symbol, at):
        yield Reason.BLACKLISTED
    if account.is_foreign:
        yield Reason.FOREIGN_POSITION


def _signal_objections(
    signal: RankedSignal, account: AccountContext, *, parameters: Parameters
) -> Iterator[Reason]:
    """Yield what is wrong with this very signal."""
    age = account.at - signal.candidate.at
    if not 0 <= age <= parameters.risk.max_signal_age_ms:
        yield Reason.DATA_STALE
    floor = parameters.ranking.min_expected_net_r
    if floor is not None and not signal.expected_net_r >= floor:
        yield Reason.EXPECTED_NET_R


def _crowding_objections(
    candidate: Candidate, exposure: Exposure, *, account: AccountContext, parameters: RiskParameters
) -> Iterator[Reason]:
    """Yield where the holdings leave no place for this one."""
    together = [_moves_with(candidate, each, account.correlations) for each in exposure.holdings]
    if sum(rho > parameters.max_correlation for rho in together) >= parameters.max_correlated:
        yield Reason.CORRELATED
    if exposure.holds(candidate.symbol):
        yield Reason.SYMBOL_HELD
    if len(exposure.holdings) >= parameters.max_positions:
        yield Reason.NO_ROOM


def _moves_with(candidate: Candidate, holding: Holding, correlations: Correlations) -> float:
    """Return side·side·ρ; what can not be told counts as moving together, whatever the sides."""
    rho = correlations.between(candidate.symbol, holding.symbol)
    return 1.0 if isnan(rho) else candidate.side * holding.side * rho
