"""Where people steer: what they want is written down, and then it happens."""

from collections import deque
from collections.abc import Sequence

from core.clock import Clock
from core.journal import Entry, OperatorActed
from core.notices import Alert, Severity
from core.operation import OperatorAction, OperatorRequest
from core.positions import ExitReason
from core.risk_state import Halt
from services.books import Books
from services.clerk import Clerk
from services.risk_desk import RiskDesk

REMEMBERED_WISHES = 1000


class Helm:
    """Carries out what operators ask for; a panic is carried on until somebody resumes."""

    def __init__(self, books: Books, desk: RiskDesk, clerk: Clerk, *, clock: Clock) -> None:
        self._books = books
        self._desk = desk
        self._clerk = clerk
        self._clock = clock
        self._obeyed: deque[str] = deque(maxlen=REMEMBERED_WISHES)

    def obey(self, request: OperatorRequest) -> None:
        """Write down who wants what, and do it; a wish that comes a second time was obeyed already.

        The wish and what it does to the risk state are written in one step: whoever dies after it must not
        wake up and trade on through a pause or a panic that is on record.
        """
        if request.request_id in self._obeyed:
            return
        at, key = self._clock.market_ms(), None
        if request.request_id:
            self._obeyed.append(request.request_id)
            key = f"operator:{request.request_id}"
        wish = Entry(body=OperatorActed(request=request), at=at, seen_at=at, key=key)
        self._clerk.risk_moved(self._steer(request, at), at, cause=wish)
        if request.action is OperatorAction.CLOSE:
            self._close(request, at)

    def keep_course(self) -> None:
        """While panicking, close whatever real there is: what was still being opened too."""
        if self._desk.is_panicking:
            self._books.close_real()

    def look_at_clock(self) -> None:
        """Let a pause end when its time has come."""
        ends, at = self._desk.state.halted_until, self._clock.market_ms()
        if 0 < ends <= at:
            self._clerk.risk_moved(self._desk.lapse(at), at)

    def _steer(self, request: OperatorRequest, at: int) -> Sequence[Alert]:
        """Let the risk state follow the wish; returns what people should hear of it."""
        match request.action:
            case OperatorAction.PAUSE if request.lasting_ms is not None:
                return self._desk.pause(at + request.lasting_ms, at)
            case OperatorAction.PAUSE:
                return self._desk.halt(Halt.PAUSED.value, at)
            case OperatorAction.HALT:
                return self._desk.halt(request.reason or Halt.PAUSED.value, at)
            case OperatorAction.PANIC:
                return self._desk.panic(at)
            case OperatorAction.RESUME:
                self._clerk.trust_journal_again()
                return self._desk.resume(at)
            case OperatorAction.CLOSE:
                return ()

    def _close(self, request: OperatorRequest, at: int) -> None:
        """Close what is held; who names something else must not wait for it to happen."""
        book = self._books.of(request.source)
        if request.symbol not in book.positions:
            self._clerk.say("nothing_held", Severity.WARNING, at=at, symbol=request.symbol)
            return
        book.request_close(request.symbol, ExitReason.OPERATOR)
