"""The one gate to real money: every reason collected, the gravest reported, every approval reserved."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.correlation import Correlations
from core.exposure import Exposure, Holding, exposure_of
from core.parameters import Parameters, RankingParameters
from core.positions import Source, Stage
from core.risk import AccountContext, Approved, Verdict, barred_for_a_while, judge
from core.risk_state import Ban, RiskState, blacklisted, entered, equity_read, halted
from core.signals import RankedSignal, Side
from core.symbols import SymbolContext
from core.verdicts import Reason, Refused
from tests.builders import (
    DAY,
    HOUR,
    MINUTE,
    SYMBOL,
    T0,
    account,
    candidate,
    independent,
    instrument,
    plan,
    position,
    ranked,
    symbol_context,
)

PARAMETERS = Parameters()
START = equity_read(RiskState(), Decimal(10_000), at=T0, parameters=PARAMETERS.risk)
OTHERS = ("AUSDT", "BUSDT", "CUSDT")


KEEP_OUT_REAL_MONEY_ONLY = {
    Reason.NO_ROOM,
    Reason.TOO_MANY_ENTRIES,
    Reason.STOPS_IN_A_ROW,
    Reason.DAY_LOSS,
    Reason.TOTAL_MARGIN,
    Reason.GROSS_NOTIONAL,
    Reason.CORRELATED,
    Reason.AVAILABLE_BALANCE,
    Reason.COOLDOWN,
    Reason.EXPECTED_NET_R,
}


def holding(symbol: str = "AUSDT", **facts: Any) -> Holding:
    """Make a small holding of an hour ago."""
    plain = Holding(
        symbol=symbol,
        side=Side.LONG,
        margin=Decimal(300),
        notional=Decimal(900),
        loss_at_stop=Decimal(10),
        funded_at=T0 - HOUR,
    )
    return replace(plain, **facts)


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that the gate looks at; by default a case to approve."""

    signal: RankedSignal = field(default_factory=ranked)
    context: SymbolContext = field(default_factory=symbol_context)
    account: AccountContext = field(
        default_factory=lambda: account(correlations=independent(SYMBOL, *OTHERS))
    )
    exposure: Exposure = field(default_factory=Exposure)
    state: RiskState = START
    parameters: Parameters = PARAMETERS

    def verdict(self) -> Verdict:
        return judge(
            self.signal,
            self.context,
            account=self.account,
            exposure=self.exposure,
            state=self.state,
            parameters=self.parameters,
        )

    def reasons(self) -> tuple[Reason, ...]:
        verdict = self.verdict()
        return verdict.reasons if isinstance(verdict, Refused) else ()


def with_account(**facts: Any) -> Case:
    return Case(account=replace(Case().account, **facts))


def with_holdings(*holdings: Holding, **facts: Any) -> Case:
    return replace(Case(**facts), exposure=Exposure(holdings=holdings))


def correlated(rho: float, *, others: tuple[str, ...] = OTHERS) -> Correlations:
    """Make correlations in which every pair moves together by ``rho``."""
    names = (SYMBOL, *others)
    return Correlations(symbols=names, matrix=np.full((len(names), len(names)), rho))


def entries_taken(count: int) -> RiskState:
    state = START
    for _ in range(count):
        state = entered(state, T0, PARAMETERS.risk)
    return state


# Each case differs from one to approve by a single fact. The limits, at 10,000 equity, where the signal
# itself adds 300 of margin, 900 of notional and 900 × 1.1245 % = 10.1205 at its stop:
# day's loss 500, total margin 5,000, gross notional 40,000.
SINGLE = {
    Reason.HALTED: Case(state=halted(START, "maintenance")),
    Reason.MODE_DOES_NOT_TRADE: with_account(trades=False),
    Reason.DATA_STALE: with_account(at=T0 + MINUTE + 1, equity_at=T0 + MINUTE),
    Reason.DATA_GAPPED: Case(context=symbol_context(gapped=True)),
    Reason.EQUITY_STALE: with_account(equity_at=T0 - 5 * MINUTE - 1),
    Reason.BREAKER_OPEN: with_account(breaker_open=True),
    Reason.DAY_LOSS: with_holdings(holding(loss_at_stop=Decimal("489.88"))),
    Reason.DRAWDOWN: Case(state=replace(START, peak_equity=Decimal("11111.2"))),
    Reason.TOO_MANY_ENTRIES: Case(state=entries_taken(3)),
    Reason.COOLDOWN: Case(state=replace(START, cooldowns={SYMBOL: T0 + 1})),
    Reason.STOPS_IN_A_ROW: Case(state=replace(START, paused_until=T0 + 1)),
    Reason.TOTAL_MARGIN: with_holdings(holding(margin=Decimal("4700.01"))),
    Reason.GROSS_NOTIONAL: with_holdings(holding(notional=Decimal("39100.01"))),
    Reason.CORRELATED: with_holdings(
        holding("AUSDT"), holding("BUSDT"), account=account(correlations=correlated(0.81))
    ),
    Reason.SPREAD: Case(context=symbol_context(spread=0.0006)),
    Reason.VOLUME: Case(context=symbol_context(quote_volume_24h=4e6)),
    Reason.TRIGGER_PROTECT: Case(context=symbol_context(contract=instrument(trigger_protect="0.005"))),
    Reason.NOT_IN_UNIVERSE: Case(
        context=symbol_context(contract=replace(instrument(), delivery_ms=T0 + DAY))
    ),
    Reason.BLACKLISTED: Case(state=blacklisted(START, SYMBOL, Ban(reason="-4411", until=T0 + 1))),
    Reason.SYMBOL_HELD: with_holdings(holding(SYMBOL)),
    Reason.FOREIGN_POSITION: with_account(is_foreign=True),
    Reason.GEOMETRY: Case(signal=ranked(candidate(refusal="stop_too_far"))),
    Reason.PRICE_TOO_COARSE: Case(context=symbol_context(contract=instrument(tick="5"))),
    Reason.BRACKETS_UNKNOWN: Case(context=symbol_context(contract=instrument(ladder=()))),
    Reason.BRACKET: Case(
        context=symbol_context(contract=instrument(ladder=(("0", "100000", "0.05", 2, "0"),)))
    ),
    Reason.LIQUIDATION_NEAR: Case(signal=ranked(candidate(stop_distance=0.17))),
    Reason.LOSS_TOO_LARGE: Case(signal=ranked(candidate(stop_distance=0.15, confidence=100.0))),
    Reason.BELOW_MINIMUM: Case(context=symbol_context(contract=instrument(min_notional="900"))),
    Reason.AVAILABLE_BALANCE: with_account(available=Decimal("300.44")),
    Reason.EXPECTED_NET_R: Case(
        signal=ranked(expected_net_r=0.04),
        parameters=replace(PARAMETERS, ranking=RankingParameters(min_expected_net_r=0.05)),
    ),
    Reason.NO_ROOM: with_holdings(*(holding(each) for each in OTHERS)),
}


def test_a_sound_signal_is_approved() -> None:
    verdict = Case().verdict()
    assert isinstance(verdict, Approved)
    assert verdict.plan.source is Source.REAL
    assert verdict.plan.quantity == Decimal(9)


def test_every_reason_has_its_case() -> None:
    assert list(SINGLE) == list(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_one_thing_wrong_gives_its_reason_alone(reason: Reason) -> None:
    assert SINGLE[reason].reasons() == (reason,)


@pytest.mark.parametrize(
    "at_the_limit",
    [
        with_account(at=T0 + MINUTE, equity_at=T0 + MINUTE),
        with_account(equity_at=T0 - 5 * MINUTE),
        with_holdings(holding(loss_at_stop=Decimal("489.8795"))),
        Case(state=replace(START, peak_equity=Decimal(11_111))),
        Case(state=replace(START, cooldowns={SYMBOL: T0}, paused_until=T0)),
        Case(state=entries_taken(2)),
        with_holdings(holding(margin=Decimal(4_700))),
        with_holdings(holding(notional=Decimal(39_100))),
        with_holdings(holding("AUSDT"), holding("BUSDT"), account=account(correlations=correlated(0.8))),
        with_account(available=Decimal("300.45")),
        Case(
            signal=ranked(expected_net_r=0.05),
            parameters=replace(PARAMETERS, ranking=RankingParameters(min_expected_net_r=0.05)),
        ),
        with_holdings(holding("AUSDT"), holding("BUSDT")),
    ],
)
def test_at_the_very_limit_a_signal_is_still_approved(at_the_limit: Case) -> None:
    assert at_the_limit.reasons() == ()


def test_all_reasons_are_collected_and_told_in_order() -> None:
    worst = Case(
        context=symbol_context(spread=0.0006, quote_volume_24h=0.0, gapped=True),
        account=account(
            at=T0 + HOUR,
            equity_at=T0,
            available="0",
            trades=False,
            breaker_open=True,
            is_foreign=True,
        ),
        exposure=Exposure(
            holdings=tuple(
                holding(each, margin=Decimal(5_000), notional=Decimal(50_000), loss_at_stop=Decimal(600))
                for each in (SYMBOL, *OTHERS)
            )
        ),
        state=blacklisted(
            replace(
                halted(START, "drawdown"),
                peak_equity=Decimal(20_000),
                entries_full_at=T0 + DAY,
                cooldowns={SYMBOL: T0 + DAY},
                paused_until=T0 + DAY,
            ),
            SYMBOL,
            Ban(reason="-4411", until=T0 + DAY),
        ),
    )
    sizing = {
        Reason.TRIGGER_PROTECT,
        Reason.NOT_IN_UNIVERSE,
        Reason.GEOMETRY,
        Reason.PRICE_TOO_COARSE,
        Reason.BRACKETS_UNKNOWN,
        Reason.BRACKET,
        Reason.LIQUIDATION_NEAR,
        Reason.LOSS_TOO_LARGE,
        Reason.BELOW_MINIMUM,
        Reason.EXPECTED_NET_R,
    }
    assert worst.reasons() == tuple(each for each in Reason if each not in sizing)
    verdict = worst.verdict()
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.HALTED


@pytest.mark.parametrize("reason", Reason)
def test_only_want_of_room_of_profit_or_of_rest_leaves_a_signal_to_the_virtual_book(
    reason: Reason,
) -> None:
    refused = SINGLE[reason].verdict()
    assert isinstance(refused, Refused)
    assert refused.may_be_virtual is (reason in KEEP_OUT_REAL_MONEY_ONLY)


def test_want_of_room_is_no_excuse_for_another_reason() -> None:
    assert not Refused(reasons=(Reason.SPREAD, Reason.NO_ROOM)).may_be_virtual


def test_a_refusal_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Refused(reasons=())


def test_a_signal_from_the_future_is_stale() -> None:
    assert with_account(at=T0 - 1).reasons() == (Reason.DATA_STALE,)


# --- the day ----------------------------------------------------------------------------------------


def test_todays_loss_counts_realised_or_not_beside_what_is_at_risk() -> None:
    # 300 lost of the day's 10,000; 9,700 × 3 % at 3× loses 9.8 at its stop; 190 more would break 500.
    lost = replace(Case().account, equity=Decimal(9_700))
    assert Case(account=lost).reasons() == ()
    assert with_holdings(holding(loss_at_stop=Decimal(191)), account=lost).reasons() == (Reason.DAY_LOSS,)


def test_a_new_day_forgives_yesterdays_loss() -> None:
    tomorrow = replace(Case().account, at=T0 + DAY, equity=Decimal(9_300), equity_at=T0 + DAY - 1)
    signal = ranked(candidate(at=T0 + DAY))
    verdict = Case(account=tomorrow, signal=signal).verdict()
    assert isinstance(verdict, Approved)
    assert verdict.state.day_opening_equity == Decimal(9_300)


# --- correlation ------------------------------------------------------------------------------------


def test_the_unknown_counts_as_moving_together_whatever_the_sides() -> None:
    for side in Side:
        crowd = with_holdings(*(holding(each, side=side) for each in ("AUSDT", "BUSDT")), account=account())
        assert crowd.reasons() == (Reason.CORRELATED,)


def test_opposite_sides_of_symbols_that_move_together_are_no_crowd() -> None:
    hedged = with_holdings(
        *(holding(each, side=Side.SHORT) for each in ("AUSDT", "BUSDT")),
        account=account(correlations=correlated(0.95)),
    )
    assert hedged.reasons() == ()


def test_opposite_sides_of_symbols_that_move_against_each_other_are_a_crowd() -> None:
    crowd = with_holdings(
        *(holding(each, side=Side.SHORT) for each in ("AUSDT", "BUSDT")),
        account=account(correlations=correlated(-0.95)),
    )
    assert crowd.reasons() == (Reason.CORRELATED,)


def test_one_correlated_holding_is_allowed() -> None:
    assert with_holdings(holding(), account=account(correlations=correlated(1.0))).reasons() == ()


# --- reserving --------------------------------------------------------------------------------------


def test_an_approval_reserves_slot_symbol_margin_risk_and_entry() -> None:
    first = Case().verdict()
    assert isinstance(first, Approved)
    assert first.exposure.margin == first.plan.margin
    assert first.exposure.loss_at_stops == Decimal("10.1205")
    assert first.state.entries_left(T0, PARAMETERS.risk) == 2
    again = Case(exposure=first.exposure, state=first.state)
    assert again.reasons() == (Reason.SYMBOL_HELD,)
    spent = replace(again, account=account(available="600", correlations=independent(SYMBOL)))
    assert spent.reasons() == (Reason.SYMBOL_HELD, Reason.AVAILABLE_BALANCE)


def test_a_refusal_reserves_nothing() -> None:
    case = with_account(trades=False)
    assert not isinstance(case.verdict(), Approved)
    assert case.exposure == Exposure()


@pytest.mark.parametrize("stage", [Stage.INTENDED, Stage.ENTERING, Stage.UNKNOWN, Stage.FROZEN])
def test_orders_of_unknown_outcome_count_as_filled(stage: Stage) -> None:
    unknown = [position(plan(ranked(candidate(each))), stage=stage) for each in OTHERS]
    held = exposure_of(unknown, marks={}, costs=PARAMETERS.costs)
    assert replace(Case(), exposure=held).reasons() == (Reason.NO_ROOM,)


@st.composite
def minutes(draw: st.DrawFn) -> list[RankedSignal]:
    """Draw a run of signals on a few symbols, minutes apart, of any confidence, side and leverage."""
    at, signals = T0, []
    for _ in range(draw(st.integers(1, 25))):
        at += draw(st.integers(0, 120)) * MINUTE
        wish = candidate(
            draw(st.sampled_from([f"S{number}USDT" for number in range(8)])),
            side=draw(st.sampled_from(Side)),
            at=at,
            confidence=draw(st.floats(70, 100)),
            stop_distance=draw(st.floats(0.005, 0.03)),
        )
        signals.append(ranked(wish, leverage=draw(st.integers(0, 20))))
    return signals


@given(signals=minutes(), slots=st.integers(1, 12))
def test_no_sequence_of_approvals_breaks_a_limit(signals: list[RankedSignal], slots: int) -> None:
    parameters = replace(PARAMETERS, risk=replace(PARAMETERS.risk, max_positions=slots, max_correlated=99))
    exposure, state, entries = Exposure(), START, []
    for signal in signals:
        verdict = judge(
            signal,
            symbol_context(signal.candidate.symbol),
            account=account(at=signal.candidate.at),
            exposure=exposure,
            state=state,
            parameters=parameters,
        )
        if isinstance(verdict, Approved):
            exposure, state = verdict.exposure, verdict.state
            entries.append(signal.candidate.at)
    held = [each.symbol for each in exposure.holdings]
    assert len(held) == len(set(held)) <= slots
    assert exposure.margin <= 5_000
    assert exposure.notional <= 40_000
    assert exposure.loss_at_stops <= 500
    assert all(sum(at <= other <= at + DAY for other in entries) <= 20 for at in entries)


@given(signals=minutes())
def test_the_same_input_gives_the_same_verdict(signals: list[RankedSignal]) -> None:
    for signal in signals[:3]:
        case = Case(signal=signal, context=symbol_context(signal.candidate.symbol))
        assert case.verdict() == case.verdict()


EQUITY = Decimal(10_000)


@pytest.mark.parametrize(
    ("state", "equity", "ban"),
    [
        (START, EQUITY, None),
        (entries_taken(2), EQUITY, None),
        (halted(START, "maintenance"), EQUITY, None),
        (entries_taken(3), EQUITY, Ban(reason=Reason.TOO_MANY_ENTRIES, until=T0 + 85 * MINUTE)),
        (replace(START, paused_until=T0 + 1), EQUITY, Ban(reason=Reason.STOPS_IN_A_ROW, until=T0 + 1)),
        (replace(START, paused_until=T0), EQUITY, None),
        (START, Decimal(9_500), Ban(reason=Reason.DAY_LOSS, until=T0 + DAY)),
        (
            replace(entries_taken(3), paused_until=T0 + HOUR),
            EQUITY,
            Ban(reason=Reason.TOO_MANY_ENTRIES, until=T0 + 85 * MINUTE),
        ),
    ],
)
def test_what_forbids_every_entry_for_a_while_is_known_with_its_end(
    state: RiskState, equity: Decimal, ban: Ban | None
) -> None:
    assert barred_for_a_while(state, equity, at=T0, parameters=PARAMETERS.risk) == ban
    if ban is not None:
        then = {"at": ban.until, "parameters": PARAMETERS.risk}
        assert barred_for_a_while(state, equity, **then) is None  # type: ignore[arg-type]


def test_what_is_barred_for_a_while_is_refused_for_it_by_the_gate() -> None:
    for reason in (Reason.TOO_MANY_ENTRIES, Reason.STOPS_IN_A_ROW):
        ban = barred_for_a_while(SINGLE[reason].state, EQUITY, at=T0, parameters=PARAMETERS.risk)
        assert ban is not None
        assert ban.reason == reason
