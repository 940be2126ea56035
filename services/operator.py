"""What people may do to a running trader, whatever they do it with: chat, terminal, web."""

from collections.abc import Callable
from dataclasses import dataclass

from core.market import MINUTE_MS
from core.operation import OperatorAction, OperatorRequest
from core.positions import Source


@dataclass(frozen=True, slots=True)
class Operator:
    """Posts wishes to the trader's inbox. Each is journalled with who had it, and outlives a restart.

    A front whose news may come twice gives each wish a ``request_id``: the second does nothing.
    """

    post: Callable[[OperatorRequest], None]

    def pause(self, by: str, *, minutes: int | None = None, request_id: str = "") -> None:
        """Take no new entries for a while, or until somebody resumes; what is open lives on."""
        lasting_ms = None if minutes is None else minutes * MINUTE_MS
        self.post(
            OperatorRequest(action=OperatorAction.PAUSE, by=by, lasting_ms=lasting_ms, request_id=request_id)
        )

    def halt(self, by: str, reason: str, *, request_id: str = "") -> None:
        """Pause, and say why."""
        self.post(OperatorRequest(action=OperatorAction.HALT, by=by, reason=reason, request_id=request_id))

    def resume(self, by: str, *, request_id: str = "") -> None:
        """Take entries again. After a drawdown the peak starts anew at the present equity."""
        self.post(OperatorRequest(action=OperatorAction.RESUME, by=by, request_id=request_id))

    def panic(self, by: str, *, request_id: str = "") -> None:
        """Close every real position at market, those still being opened too, and open no more."""
        self.post(OperatorRequest(action=OperatorAction.PANIC, by=by, request_id=request_id))

    def close(self, by: str, symbol: str, source: Source = Source.REAL, *, request_id: str = "") -> None:
        """Close one position at market. Asking twice does no harm."""
        self.post(
            OperatorRequest(
                action=OperatorAction.CLOSE, by=by, source=source, symbol=symbol, request_id=request_id
            )
        )
