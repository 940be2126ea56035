"""Where people steer: what they want is written down, and then it happens."""

from collections import deque

from core.clock import Clock
from core.journal import OperatorActed
from core.notices import Severity
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
        """Write down who wants what, and do it; a wish that comes a second time was obeyed already."""
        if request.request_id in self._obeyed:
            return
        at, key = self._clock.market_ms(), None
        if request.request_id:
            self._obeyed.append(request.request_id)
            key = f"operator:{request.request_id}"
        self._clerk.record(OperatorActed(request=request), at=at, key=key)
        self._do(request, at)

    def keep_course(self) -> None:
        """While panicking, close whatever real there is: what was still being opened too."""
        if self._desk.is_panicking:
            self._books.close_real()

    def look_at_clock(self) -> None:
        """Let a pause end when its time has come."""
        ends, at = self._desk.state.halted_until, self._clock.market_ms()
        if 0 < ends <= at:
            self._clerk.risk_moved(self._desk.lapse(at), at)

    def _do(self, request: OperatorRequest, at: int) -> None:
        match request.action:
            case OperatorAction.PAUSE if request.lasting_ms is not None:
                self._clerk.risk_moved(self._desk.pause(at + request.lasting_ms, at), at)
            case OperatorAction.PAUSE:
                self._clerk.halt(Halt.PAUSED.value, at)
            case OperatorAction.HALT:
                self._clerk.halt(request.reason or Halt.PAUSED.value, at)
            case OperatorAction.PANIC:
                self._clerk.risk_moved(self._desk.panic(at), at)
            case OperatorAction.RESUME:
                self._clerk.trust_journal_again()
                self._clerk.risk_moved(self._desk.resume(at), at)
            case OperatorAction.CLOSE:
                self._close(request, at)

    def _close(self, request: OperatorRequest, at: int) -> None:
        """Close what is held; who names something else must not wait for it to happen."""
        book = self._books.of(request.source)
        if request.symbol not in book.positions:
            self._clerk.say("nothing_held", Severity.WARNING, at=at, symbol=request.symbol)
            return
        book.request_close(request.symbol, ExitReason.OPERATOR)
