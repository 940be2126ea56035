"""What the risk gate remembers, and what people hear of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.income import Income, IncomeKind
from core.parameters import RiskParameters
from core.positions import ExitReason, Source
from core.risk_state import (
    Ban,
    RiskNews,
    RiskState,
    accounted,
    blacklisted,
    closed,
    entered,
    equity_read,
    halted,
    lapsed,
    news,
    on_day_of,
    panicked,
    paused,
    resumed,
    transferred,
)
from data.codec import decode, encode
from tests.builders import DAY, HOUR, MINUTE, T0, candidate, plan, ranked, trade

PARAMETERS = RiskParameters()
START = equity_read(RiskState(), Decimal(10_000), at=T0, parameters=PARAMETERS)


def read(state: RiskState, *equities: int, at: int = T0) -> RiskState:
    for equity in equities:
        state = equity_read(state, Decimal(equity), at=at, parameters=PARAMETERS)
    return state


def stopped(state: RiskState, *, at: int, symbol: str = "SOLUSDT", gross_r: float = -1.0) -> RiskState:
    loser = trade(plan(ranked(candidate(symbol))), gross_r=gross_r, reason=ExitReason.STOP, closed_at=at)
    return closed(state, loser, PARAMETERS)


# --- the day and the peak ---------------------------------------------------------------------------


def test_the_first_equity_opens_the_day_and_is_the_peak() -> None:
    assert START.day_opening_equity == START.peak_equity == Decimal(10_000)
    assert START.drawdown(Decimal(10_000)) == 0


@pytest.mark.fault(95)
def test_a_day_is_opened_once_at_midnight_utc_and_never_again() -> None:
    later = read(START, 9_900, at=T0 + DAY - 1)
    assert later.day_opening_equity == Decimal(10_000)
    next_day = read(later, 9_800, at=T0 + DAY)
    assert next_day.day_opening_equity == Decimal(9_800)
    assert on_day_of(next_day, T0, equity=Decimal(1)) == next_day


def test_losses_count_from_the_opening_and_a_gain_is_no_loss() -> None:
    assert START.day_loss(Decimal(9_700)) == Decimal(300)
    assert START.day_loss(Decimal(11_000)) == 0


def test_the_peak_only_rises() -> None:
    assert read(START, 12_000, 11_500).peak_equity == Decimal(12_000)


@pytest.mark.parametrize("amount", [-4_000, 4_000])
def test_a_transfer_is_neither_loss_nor_gain(amount: int) -> None:
    equity = Decimal(10_000 + amount)
    moved = read(transferred(START, Decimal(amount), equity=equity), 10_000 + amount)
    assert moved.drawdown(equity) == 0
    assert moved.day_loss(equity) == 0
    assert moved.drawdown(equity - 100) > 0


@given(
    equity=st.integers(5_000, 15_000),
    shares=st.lists(st.floats(-0.9, 5.0).filter(lambda share: abs(share) > 0.001), max_size=6),
)
def test_no_transfer_changes_the_share_that_was_lost(equity: int, shares: list[float]) -> None:
    state, now = read(START, equity), Decimal(equity)
    lost, today = state.drawdown(now), state.day_loss(now) / state.day_opening_equity
    for share in shares:
        amount = (now * Decimal(share)).quantize(Decimal("0.01"))
        now += amount
        state = transferred(state, amount, equity=now)
    assert abs(state.drawdown(now) - lost) < Decimal("0.000001")
    assert abs(state.day_loss(now) / state.day_opening_equity - today) < Decimal("0.000001")


def test_half_the_money_gone_does_not_double_the_drawdown() -> None:
    state = read(START, 9_400)
    halved = read(transferred(state, Decimal(-4_700), equity=Decimal(4_700)), 4_700)
    assert halved.halted == ""
    assert halved.drawdown(Decimal(4_700)) == state.drawdown(Decimal(9_400))


def test_what_comes_into_an_empty_account_is_what_it_begins_with() -> None:
    empty = read(START, 0)
    filled = transferred(empty, Decimal(500), equity=Decimal(500))
    assert filled.peak_equity == filled.day_opening_equity == Decimal(500)
    assert filled.halted == "drawdown", "money heals no halt"


def test_a_transfer_before_the_first_equity_changes_nothing() -> None:
    assert transferred(RiskState(), Decimal(500), equity=Decimal(500)) == RiskState()


def income(income_id: str, amount: int, kind: IncomeKind = IncomeKind.TRANSFER) -> Income:
    return Income(income_id=income_id, kind=kind, symbol="", amount=Decimal(amount), at=T0)


def account(state: RiskState, incomes: Sequence[Income], equity: int) -> RiskState:
    money = Decimal(equity)
    return accounted(state, incomes, wallet=money, equity=money, at=T0, parameters=PARAMETERS)


def test_what_made_the_first_wallet_is_no_transfer() -> None:
    begun = account(RiskState(), [income("1", 10_000)], 10_000)
    assert begun.peak_equity == begun.day_opening_equity == Decimal(10_000)
    assert begun.wallet.counted == {"1": T0}


def test_a_deposit_beside_a_loss_hides_nothing_of_it() -> None:
    begun = account(RiskState(), [], 10_000)
    after = account(begun, [income("1", -1_100, IncomeKind.TRADE), income("2", 5_000)], 13_900)
    assert after.halted == "drawdown"
    assert abs(after.drawdown(Decimal(13_900)) - Decimal("0.11")) < Decimal("0.000001")


def test_what_nobody_explains_may_be_a_loss_and_is_never_a_gain() -> None:
    begun = account(RiskState(), [], 10_000)
    gone = account(begun, [income("u", -600, IncomeKind.UNEXPLAINED)], 9_400)
    assert gone.drawdown(Decimal(9_400)) == Decimal("0.06")
    come = account(begun, [income("u", 600, IncomeKind.UNEXPLAINED)], 10_600)
    assert come.drawdown(Decimal(10_600)) == 0
    assert come.day_opening_equity == Decimal(10_600)


# --- drawdown ---------------------------------------------------------------------------------------


def test_the_drawdown_alert_fires_at_five_percent_and_again_only_after_recovering_to_four() -> None:
    equities = [9_501, 9_500, 9_450, 9_550, 9_600, 9_500, 9_601, 9_500]
    state, heard = START, []
    for equity in equities:
        before, state = state, read(state, equity)
        heard.append(RiskNews.DRAWDOWN_ALERT in news(before, state))
    # 9,600 is exactly 4 % below: not yet recovered.
    assert heard == [False, True, False, False, False, False, False, True]


def test_ten_percent_below_the_peak_halts_until_an_operator_resumes() -> None:
    state = read(START, 9_000)
    assert state.halted == "drawdown"
    assert news(START, state) == (RiskNews.HALTED, RiskNews.DRAWDOWN_ALERT)
    recovered = read(state, 9_900, at=T0 + 2 * DAY)
    assert recovered.halted == "drawdown"


def test_resuming_after_a_drawdown_starts_a_new_peak() -> None:
    state = read(START, 8_900)
    lifted = resumed(state, equity=Decimal(8_900), parameters=PARAMETERS)
    assert (lifted.halted, lifted.peak_equity) == ("", Decimal(8_900))
    assert news(state, lifted) == (RiskNews.RESUMED,)
    assert read(lifted, 8_100).halted == ""
    assert read(lifted, 8_010).halted == "drawdown"


def test_resuming_an_operators_halt_forgives_no_drawdown() -> None:
    state = halted(read(START, 9_400), "maintenance")
    lifted = resumed(state, equity=Decimal(9_400), parameters=PARAMETERS)
    assert lifted.peak_equity == Decimal(10_000)
    assert lifted.drawdown_alerted


def test_the_first_reason_of_a_halt_stands() -> None:
    assert halted(halted(START, "maintenance"), "again").halted == "maintenance"
    assert read(halted(START, "maintenance"), 8_000).halted == "maintenance"


# --- entries ----------------------------------------------------------------------------------------


def test_three_entries_at_once_then_one_every_85_minutes() -> None:
    state = START
    for left in (2, 1, 0):
        state = entered(state, T0, PARAMETERS)
        assert state.entries_left(T0, PARAMETERS) == left
    assert state.entries_left(T0 + 85 * MINUTE - 1, PARAMETERS) == 0
    assert state.entries_left(T0 + 85 * MINUTE, PARAMETERS) == 1
    assert state.entries_left(T0 + 3 * 85 * MINUTE, PARAMETERS) == 3
    assert state.entries_left(T0 + 30 * DAY, PARAMETERS) == 3


@given(gaps=st.lists(st.integers(0, 100), min_size=1, max_size=300))
def test_never_more_than_twenty_entries_in_any_24_hours(gaps: list[int]) -> None:
    # Within 24 h and both its ends: 3 + 1,440 / 85 = 19.9, so 19 at most.
    state, now, entries = START, T0, []
    for gap in gaps:
        now += gap * MINUTE
        if state.entries_left(now, PARAMETERS) > 0:
            state = entered(state, now, PARAMETERS)
            entries.append(now)
    for at in entries:
        assert sum(at <= other <= at + DAY for other in entries) <= 19


# --- stops ------------------------------------------------------------------------------------------


def test_a_stop_cools_its_symbol_for_half_an_hour() -> None:
    state = stopped(START, at=T0)
    assert state.is_cooling("SOLUSDT", T0 + 30 * MINUTE - 1)
    assert not state.is_cooling("SOLUSDT", T0 + 30 * MINUTE)
    assert not state.is_cooling("BTCUSDT", T0)


@pytest.mark.parametrize("gross_r", [-0.5, 0.0, 0.7])
def test_a_stop_that_cost_little_is_no_stop(gross_r: float) -> None:
    state = stopped(START, at=T0, gross_r=gross_r)
    assert state.cooldowns == {}
    assert state.recent_stops == ()


@pytest.mark.parametrize("reason", [each for each in ExitReason if each is not ExitReason.STOP])
def test_no_other_exit_cools_down(reason: ExitReason) -> None:
    state = closed(START, trade(gross_r=-2.0, reason=reason), PARAMETERS)
    assert state.cooldowns == {}


@pytest.mark.parametrize("source", [Source.VIRTUAL, Source.TWIN])
def test_what_happens_to_virtual_positions_touches_no_real_limit(source: Source) -> None:
    loser = trade(plan(source=source), gross_r=-1.0, reason=ExitReason.STOP)
    assert closed(START, loser, PARAMETERS) == START


def test_three_stops_within_an_hour_pause_for_half_an_hour() -> None:
    two = stopped(stopped(START, at=T0), at=T0 + 10 * MINUTE)
    assert two.paused_until == 0
    three = stopped(two, at=T0 + HOUR)
    assert three.paused_until == T0 + HOUR + 30 * MINUTE
    assert news(two, three) == (RiskNews.PAUSED,)


def test_three_stops_in_more_than_an_hour_do_not_pause() -> None:
    two = stopped(stopped(START, at=T0), at=T0 + 10 * MINUTE)
    assert stopped(two, at=T0 + HOUR + 1).paused_until == 0


def test_cooldowns_that_ended_are_forgotten() -> None:
    state = stopped(stopped(START, at=T0, symbol="AUSDT"), at=T0 + HOUR, symbol="BUSDT")
    assert set(state.cooldowns) == {"BUSDT"}


@pytest.mark.fault(95)
def test_realised_results_are_of_their_own_day() -> None:
    # 10 at 100, stop at 99: 1 R is 10 USDT.
    state = closed(START, trade(gross_r=2.0, costs="1.5", closed_at=T0 + HOUR), PARAMETERS)
    state = closed(state, trade(gross_r=-1.0, closed_at=T0 + 2 * HOUR), PARAMETERS)
    assert state.realised_on(T0 + 3 * HOUR) == Decimal("8.5")
    assert state.realised_on(T0 + DAY) == 0
    tomorrow = closed(state, trade(gross_r=1.0, closed_at=T0 + DAY), PARAMETERS)
    assert tomorrow.realised_on(T0 + DAY) == Decimal(10)


@pytest.mark.fault(95)
@pytest.mark.parametrize(
    "first",
    ["2026-03-28", "2026-10-24", "2028-02-28", "2026-12-30"],
    ids=["23 hours in Berlin", "25 hours in Berlin", "29 February", "the end of the year"],
)
@given(closes=st.lists(st.integers(0, 4 * DAY // MINUTE - 1), min_size=1, max_size=20))
def test_every_result_counts_on_the_utc_date_of_its_close_and_on_no_other(
    first: str, closes: list[int]
) -> None:
    began = int(datetime.fromisoformat(f"{first}T00:00:00+00:00").timestamp() * 1000)
    state, ledger, by_date = START, Decimal(0), dict[date, Decimal]()
    for minute in sorted(closes):
        at = began + minute * MINUTE
        done = trade(gross_r=1.0, costs="0.25", closed_at=at)
        state = closed(state, done, PARAMETERS)
        ledger += done.position.net_pnl
        by_date[datetime.fromtimestamp(at / 1000, UTC).date()] = state.realised_on(at)
    assert sum(by_date.values()) == ledger


# --- the blacklist and the restart ------------------------------------------------------------------


def test_a_ban_ends_by_itself() -> None:
    state = blacklisted(START, "SOLUSDT", Ban(reason="-4411", until=T0 + DAY))
    assert state.is_blacklisted("SOLUSDT", T0 + DAY - 1)
    assert not state.is_blacklisted("SOLUSDT", T0 + DAY)
    assert not state.is_blacklisted("BTCUSDT", T0)


def test_nothing_is_forgotten_over_a_restart() -> None:
    state = halted(read(START, 9_400), "maintenance")
    state = entered(stopped(state, at=T0), T0, PARAMETERS)
    state = blacklisted(state, "XUSDT", Ban(reason="-4411", until=T0 + DAY))
    assert decode(encode(state), RiskState) == state


def test_a_panic_joins_whatever_halt_there_is_and_a_resumption_lifts_both() -> None:
    assert (panicked(START).halted, panicked(START).panicking) == ("panic", True)
    maintained = panicked(halted(START, "maintenance"))
    assert (maintained.halted, maintained.panicking) == ("maintenance", True)
    for equity in (10_000, 8_000):
        lifted = resumed(maintained, equity=Decimal(equity), parameters=PARAMETERS)
        assert (lifted.halted, lifted.panicking) == ("", False)


def test_a_panic_is_read_back_and_a_state_written_before_there_were_any_has_none() -> None:
    state = panicked(START)
    assert decode(encode(state), RiskState) == state
    old = encode(state).replace(b'"panicking":true,', b"")
    assert b"panicking" not in old
    assert decode(old, RiskState) == replace(state, panicking=False)


def test_a_pause_with_an_end_lapses_then_and_not_before() -> None:
    state = paused(START, T0 + DAY)
    assert (state.halted, state.halted_until) == ("paused", T0 + DAY)
    assert lapsed(state, T0 + DAY - 1) == state
    assert lapsed(state, T0 + DAY) == START
    assert paused(state, T0 + 2 * DAY).halted_until == T0 + 2 * DAY
    assert resumed(state, equity=Decimal(10_000), parameters=PARAMETERS) == START


def test_a_halt_without_an_end_takes_over_from_a_pause_and_gives_way_to_none() -> None:
    for lasting in (
        halted(paused(START, T0 + DAY), "second_bot"),
        paused(halted(START, "second_bot"), T0 + DAY),
    ):
        assert lapsed(lasting, T0 + 2 * DAY).halted == "second_bot"
    broken = read(paused(read(START, 10_000), T0 + DAY), 9_000)
    assert lapsed(broken, T0 + 2 * DAY).halted == "drawdown"


def test_a_panic_is_told_once_whatever_halted_before() -> None:
    for before in (START, halted(START, "maintenance"), paused(START, T0 + DAY)):
        assert len(news(before, panicked(before))) == 1
    assert news(halted(START, "maintenance"), panicked(halted(START, "maintenance"))) == (RiskNews.PANIC,)


def test_a_pause_survives_being_written_and_a_state_from_before_there_were_any_has_none() -> None:
    state = paused(START, T0 + DAY)
    assert decode(encode(state), RiskState) == state
    old = encode(halted(START, "paused")).replace(b'"halted_until":0,', b"")
    assert b"halted_until" not in old
    assert decode(old, RiskState) == halted(START, "paused")
