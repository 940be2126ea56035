"""Where people steer: what they want is written down, and then it happens."""

from core.clock import Clock
from core.journal import OperatorActed
from core.operation import OperatorAction, OperatorRequest
from core.positions import ExitReason
from core.risk_state import Halt
from services.books import Books
from services.clerk import Clerk
from services.risk_desk import RiskDesk


class Helm:
    """Carries out what operators ask for; a panic is carried on until somebody resumes."""

    def __init__(self, books: Books, desk: RiskDesk, clerk: Clerk, *, clock: Clock) -> None:
        self._books = books
        self._desk = desk
        self._clerk = clerk
        self._clock = clock

    def obey(self, request: OperatorRequest) -> None:
        """Write down who wants what, and do it."""
        at = self._clock.market_ms()
        self._clerk.record(OperatorActed(request=request), at=at)
        match request.action:
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
                self._books.of(request.source).request_close(request.symbol, ExitReason.OPERATOR)

    def keep_course(self) -> None:
        """While panicking, close whatever real there is: what was still being opened too."""
        if self._desk.is_panicking:
            self._books.close_real()
