"""Accounts for every change of the wallet before the equity it is part of is judged."""

import logging
from collections.abc import Callable, Sequence

from core.clock import Clock
from core.income import Income, IncomeKind, IncomesListed, ReadIncomes
from core.journal import Entry, IncomeBooked
from core.notices import Severity
from core.orders import AccountRead, FundingPaid
from core.ports import Recorder
from core.wallet import OVERLAP_MS
from services.risk_desk import RiskDesk

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
"""A question that has no answer by then is asked again."""

UNANSWERED_TOLD = 3
"""So many questions in a row without an answer are told, for no equity is judged meanwhile."""

PATIENCE_SECONDS = 30.0
PATIENCE_LISTS = 3
"""Records may appear later than what they record; what they do not explain by then, they never will."""

Teller = Callable[[str, Severity, int, str], None]


class Treasurer:
    """Judges no read of the account whose wallet the exchange's own records do not lead to.

    A wallet that has moved is asked about. Funding among the answers is handed on to the positions,
    transfers are taken out of gain and loss, and both are written down under the exchange's ids, so that
    neither a gap, nor a restart, nor news that come twice count anything twice. A change without a record
    is told, and never counted as a gain.
    """

    def __init__(
        self,
        desk: RiskDesk,
        journal: Recorder,
        *,
        ask: Callable[[ReadIncomes], object],
        judged: Callable[[AccountRead, Sequence[Income]], None],
        say: Teller,
        clock: Clock,
    ) -> None:
        """``judged`` is called with a read that may be judged, and the incomes it contains."""
        self._desk = desk
        self._journal = journal
        self._ask_venue = ask
        self._judged = judged
        self._say = say
        self._clock = clock
        self._read_at = 0
        self._waiting: AccountRead | None = None
        self._news: tuple[Income, ...] = ()
        self._asked: float | None = None
        self._asked_for: AccountRead | None = None
        self._doubted_since: float | None = None
        self._doubts = 0
        self._unanswered = 0

    def account(self, read: AccountRead) -> None:
        """Have a read judged, at once where its wallet is accounted for. One older than the last loses."""
        if read.at < self._read_at:
            return
        self._read_at = read.at
        self._desk.see(read)
        if read.is_paper:
            self._judged(read, ())
            return
        self._waiting = read
        if not self._accounts_for():
            self._ask()

    def moved(self) -> None:
        """The venue's news say that the wallet moved: its records tell why."""
        if self._desk.state.wallet.is_known:
            self._ask()

    def funding(self, answer: IncomesListed) -> Sequence[FundingPaid]:
        """Return the funding among what is new, for the positions, which book each id once.

        They must have it before ``listed`` counts it: whoever dies in between is told of it again.
        """
        wallet = self._desk.state.wallet
        return [
            FundingPaid(symbol=each.symbol, amount=each.amount, at=each.at, income_id=each.income_id)
            for each in (wallet.news(answer.incomes) if wallet.is_known else ())
            if each.kind is IncomeKind.FUNDING
        ]

    def listed(self, answer: IncomesListed) -> None:
        """Take the exchange's records, and judge the account that waits for them."""
        asked_for, self._asked = self._asked_for, None
        wallet = self._desk.state.wallet
        if not wallet.is_known:
            self._begin(answer.incomes)
            return
        self._news = wallet.news(answer.incomes)
        self._write(self._news)
        if not self._accounts_for() and self._waiting is not None:
            self._doubt(self._waiting, is_newer=self._waiting is not asked_for)

    def _accounts_for(self) -> bool:
        """Have the waiting read judged if what is known leads to its wallet."""
        read, wallet = self._waiting, self._desk.state.wallet
        if read is None or not wallet.is_known:
            return False
        incomes = wallet.leading_to(read.wallet, self._news)
        if incomes is None:
            return False
        self._judge(read, incomes)
        return True

    def _begin(self, incomes: Sequence[Income]) -> None:
        """Whatever made the wallet that is read first is what the account begins with."""
        read = self._waiting
        if read is not None:
            self._judge(read, tuple(each for each in incomes if each.at <= read.at))

    def _judge(self, read: AccountRead, incomes: Sequence[Income]) -> None:
        self._waiting, self._doubted_since, self._doubts = None, None, 0
        self._news = tuple(each for each in self._news if each not in incomes)
        self._judged(read, incomes)

    def _doubt(self, read: AccountRead, *, is_newer: bool) -> None:
        """Ask again for what came after the question; give up where records do not appear."""
        if is_newer:
            self._ask()
            return
        mono = self._clock.monotonic()
        self._doubts += 1
        if self._doubted_since is None:
            self._doubted_since = mono
        if self._doubts >= PATIENCE_LISTS and mono - self._doubted_since >= PATIENCE_SECONDS:
            self._give_up(read)

    def _give_up(self, read: AccountRead) -> None:
        """Say that the wallet is not what its records make it, and go on from what it is."""
        known = tuple(each for each in self._news if each.at <= read.at)  # the list may be far younger
        amount = self._desk.state.wallet.unexplained(read.wallet, known)
        log.error("the wallet moved by %s USDT that no record explains", amount)
        unexplained = Income(
            income_id=f"unexplained:{read.at}",
            kind=IncomeKind.UNEXPLAINED,
            symbol="",
            amount=amount,
            at=read.at,
        )
        self._write((unexplained,))
        self._say("balance_unexplained", Severity.CRITICAL, read.at, f"{amount:+f} USDT")
        self._judge(read, (*known, unexplained))

    def _ask(self) -> None:
        mono, wallet = self._clock.monotonic(), self._desk.state.wallet
        if self._asked is not None and mono - self._asked < ANSWER_SECONDS:
            return
        self._unanswered = 0 if self._asked is None else self._unanswered + 1
        if self._unanswered and self._unanswered % UNANSWERED_TOLD == 0:
            at = self._clock.market_ms()
            self._say("incomes_unreadable", Severity.CRITICAL, at, "/fapi/v1/income")
        self._asked, self._asked_for = mono, self._waiting
        begins = self._read_at - OVERLAP_MS
        self._ask_venue(ReadIncomes(since=wallet.asks_since if wallet.is_known else max(begins, 0)))

    def _write(self, incomes: Sequence[Income]) -> None:
        """The exchange's id is the key: the same income is written once, however often it is listed."""
        seen_at = self._clock.market_ms()
        self._journal.append(
            [
                Entry(
                    body=IncomeBooked(income=each),
                    at=each.at,
                    seen_at=seen_at,
                    key=f"income:{each.income_id}",
                )
                for each in incomes
            ]
        )
