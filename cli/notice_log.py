"""Notices in the log file, so that it tells how a run went when nobody looked."""

import logging

from cli.wording import notice_line
from core.notices import Alert, Notice, Severity, SignalRefused

log = logging.getLogger("perpscout.notice")

_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.CRITICAL: logging.ERROR,
}


class NoticeLog:
    """A ``core.ports.Notifier`` that writes a line for each notice, as grave as the notice is.

    Refusals are many, and the journal has each: they are for those who debug.
    """

    def notify(self, notice: Notice) -> None:
        level = _level(notice)
        if log.isEnabledFor(level):
            log.log(level, "%s", notice_line(notice))


def _level(notice: Notice) -> int:
    match notice:
        case SignalRefused():
            return logging.DEBUG
        case Alert():
            return _LEVELS[notice.severity]
        case _:
            return logging.INFO
