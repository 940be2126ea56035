"""The log tells what people were told, as gravely as they were."""

import logging

import pytest

from cli.notice_log import NoticeLog
from cli.wording import notice_line
from core.notices import Alert, Severity


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.INFO, logging.INFO),
        (Severity.WARNING, logging.WARNING),
        (Severity.CRITICAL, logging.ERROR),
    ],
)
def test_an_alert_is_logged_by_its_severity(
    severity: Severity, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    alert = Alert(key="streams_silent", severity=severity, at=0, text="AUSDT")
    with caplog.at_level(logging.INFO):
        NoticeLog().notify(alert)
    assert [(each.levelno, each.message) for each in caplog.records] == [(level, notice_line(alert))]


@pytest.mark.parametrize("halt", ["crash_loop", "second_bot", "another_market"])
def test_a_halt_is_worded_and_says_what_to_do(halt: str) -> None:
    line = notice_line(Alert(key="risk_halted", severity=Severity.CRITICAL, at=0, text=halt))
    assert "_" not in line
    assert "no new entries" in line
    assert ": " in line.partition("no new entries: ")[2]


def test_words_from_elsewhere_stay_as_they_are() -> None:
    line = notice_line(Alert(key="risk_halted", severity=Severity.CRITICAL, at=0, text="news at 8, my_note"))
    assert line.endswith("news at 8, my_note")
