"""What people may do to a running trader, whatever they do it with: chat, terminal, web."""

from collections.abc import Callable

from core.operation import OperatorAction, OperatorRequest
from core.positions import Source


class Operator:
    """Posts wishes to the trader's inbox. Each is journalled with who had it, and outlives a restart."""

    def __init__(self, post: Callable[[OperatorRequest], None]) -> None:
        self._post = post

    def pause(self, by: str) -> None:
        """Take no new entries until somebody resumes; what is open lives on."""
        self._post(OperatorRequest(action=OperatorAction.PAUSE, by=by))

    def halt(self, by: str, reason: str) -> None:
        """Pause, and say why."""
        self._post(OperatorRequest(action=OperatorAction.HALT, by=by, reason=reason))

    def resume(self, by: str) -> None:
        """Take entries again. After a drawdown the peak starts anew at the present equity."""
        self._post(OperatorRequest(action=OperatorAction.RESUME, by=by))

    def panic(self, by: str) -> None:
        """Close every real position at market, those still being opened too, and open no more."""
        self._post(OperatorRequest(action=OperatorAction.PANIC, by=by))

    def close(self, by: str, symbol: str, source: Source = Source.REAL) -> None:
        """Close one position at market. Asking twice does no harm."""
        request = OperatorRequest(action=OperatorAction.CLOSE, by=by, source=source, symbol=symbol)
        self._post(request)
