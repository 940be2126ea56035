"""What must be in order before anything trades, and what happens when somebody changes it later."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.clock import ManualClock
from core.errors import ExchangeUnavailable, ModeRefused
from core.notices import Alert, Notice
from core.operation import OperatorAction, OperatorRequest
from core.preflight import AccountModes, KeyRights
from services.preflight import Preflight
from services.rehearsal import Rehearsed

TRADES_ONLY = KeyRights(trades_futures=True, withdraws=False, transfers=False, is_bound_to_addresses=True)
AS_IT_SHOULD_BE = AccountModes(is_hedged=False, is_multi_assets=False, can_trade=True)


class Examined:
    """An exchange that tells what it was told to tell."""

    def __init__(self, rights: KeyRights | None = TRADES_ONLY, modes: AccountModes = AS_IT_SHOULD_BE) -> None:
        self.told_rights = rights
        self.told_modes = modes
        self.silent = False

    async def rights(self) -> KeyRights | None:
        return self.told_rights

    async def modes(self) -> AccountModes:
        if self.silent:
            raise ExchangeUnavailable("no answer")
        return self.told_modes


class Outcomes:
    """Rehearsals that end as told, one after the other."""

    def __init__(self, *outcomes: Rehearsed | Exception) -> None:
        self.outcomes = list(outcomes)

    async def run(self) -> Rehearsed:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Board:
    """A preflight, and everything it asked for and said."""

    def __init__(self, examined: Examined) -> None:
        self.wishes: list[OperatorRequest] = []
        self.notices: list[Notice] = []
        self.preflight = Preflight(examined, post=self.wishes.append, notifier=self, clock=ManualClock())

    def notify(self, notice: Notice) -> None:
        self.notices.append(notice)

    @property
    def said(self) -> Sequence[str]:
        return [each.key for each in self.notices if isinstance(each, Alert)]

    @property
    def halts(self) -> Sequence[str]:
        assert all(each.action is OperatorAction.HALT for each in self.wishes)
        return [each.reason for each in self.wishes]


@pytest.mark.fault(66)
@pytest.mark.parametrize("holds", [False, True])
@pytest.mark.parametrize(
    ("rights", "words"),
    [
        (replace(TRADES_ONLY, withdraws=True), "can withdraw"),
        (replace(TRADES_ONLY, transfers=True), "can move money"),
        (replace(TRADES_ONLY, trades_futures=False), "may not trade futures"),
    ],
)
async def test_a_key_that_can_do_more_than_trade_or_less_is_refused(
    rights: KeyRights, words: str, holds: bool
) -> None:
    with pytest.raises(ModeRefused, match=words):
        await Board(Examined(rights)).preflight.before_start(holds=holds)


async def test_everything_wrong_with_a_key_is_told_at_once() -> None:
    rights = KeyRights(trades_futures=False, withdraws=True, transfers=True, is_bound_to_addresses=False)
    with pytest.raises(ModeRefused) as caught:
        await Board(Examined(rights)).preflight.before_start(holds=False)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.fault(66)
async def test_a_key_that_works_from_anywhere_is_warned_of() -> None:
    board = Board(Examined(replace(TRADES_ONLY, is_bound_to_addresses=False)))
    await board.preflight.before_start(holds=False)
    assert board.said == ["key_unbound"]
    assert not board.halts


async def test_where_a_key_can_not_be_asked_that_is_said() -> None:
    board = Board(Examined(None))
    await board.preflight.before_start(holds=False)
    assert board.said == ["key_unexamined"]


WRONG = [
    (replace(AS_IT_SHOULD_BE, is_hedged=True), "hedge_mode"),
    (replace(AS_IT_SHOULD_BE, is_multi_assets=True), "multi_assets"),
    (replace(AS_IT_SHOULD_BE, can_trade=False), "can_not_trade"),
]


@pytest.mark.fault(46)
@pytest.mark.parametrize(("modes", "reason"), WRONG)
async def test_an_account_in_a_wrong_mode_is_refused_at_the_start(modes: AccountModes, reason: str) -> None:
    board = Board(Examined(modes=modes))
    with pytest.raises(ModeRefused):
        await board.preflight.before_start(holds=False)
    assert not board.halts, reason


@pytest.mark.fault(46)
@pytest.mark.parametrize(("modes", "reason"), WRONG)
async def test_with_positions_held_it_is_entered_but_takes_no_entries(
    modes: AccountModes, reason: str
) -> None:
    board = Board(Examined(modes=modes))
    await board.preflight.before_start(holds=True)
    assert board.halts == [reason]
    assert board.said == [reason]


@pytest.mark.fault(46)
async def test_a_mode_switched_later_halts_entries_is_told_once_and_halts_again_after_a_resume() -> None:
    examined = Examined()
    board = Board(examined)
    await board.preflight.before_start(holds=False)
    await board.preflight.look()
    assert not board.halts
    examined.told_modes = replace(AS_IT_SHOULD_BE, is_hedged=True)
    for _ in range(3):
        await board.preflight.look()
    assert board.halts == ["hedge_mode"] * 3
    assert board.said == ["hedge_mode"]
    examined.told_modes = AS_IT_SHOULD_BE
    await board.preflight.look()
    examined.told_modes = replace(AS_IT_SHOULD_BE, is_hedged=True)
    await board.preflight.look()
    assert board.said == ["hedge_mode"] * 2


async def test_modes_that_can_not_be_read_later_change_nothing() -> None:
    examined = Examined()
    board = Board(examined)
    examined.silent = True
    await board.preflight.look()
    assert not board.halts
    with pytest.raises(ExchangeUnavailable):  # at the start nobody trades on a guess
        await board.preflight.before_start(holds=False)


@pytest.mark.fault(42)
async def test_a_failed_rehearsal_halts_entries() -> None:
    board = Board(Examined())
    failed = Outcomes(Rehearsed(works=False, text="-4120"))
    await board.preflight.rehearse(failed.run)
    assert board.halts == ["self_test"]
    assert board.said == ["self_test"]


async def test_a_rehearsal_that_the_exchange_did_not_answer_is_tried_again() -> None:
    board, silence = Board(Examined()), ExchangeUnavailable("no answer")
    outcomes = Outcomes(silence, silence, Rehearsed(works=True))
    await board.preflight.rehearse(outcomes.run)
    assert not board.halts
    await board.preflight.rehearse(Outcomes(silence, silence, silence).run)
    assert board.halts == ["self_test"]


async def test_an_exchange_that_takes_one_stop_only_is_told_and_traded_on() -> None:
    board = Board(Examined())
    await board.preflight.rehearse(Outcomes(Rehearsed(works=True, beside=False)).run)
    assert board.said == ["stops_not_beside"]
    assert not board.halts
