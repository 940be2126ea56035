"""What waits for Discord is bounded, and what matters most is given up last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outbox import Outbox, severity_of
from core.notices import Alert, Notice, PositionOpened, Severity
from core.positions import Source
from tests.builders import T0, plan, position


def waiting(outbox: Outbox) -> list[Notice]:
    return list(outbox.head(1000).values())


def alert(severity: Severity, at: int = T0) -> Alert:
    return Alert(key="x", severity=severity, at=at)


def test_notices_leave_in_the_order_they_came() -> None:
    outbox = Outbox()
    notices = [alert(Severity.INFO, at) for at in range(3)]
    for notice in notices:
        outbox.put(notice)
    assert waiting(outbox) == notices
    outbox.taken(outbox.head(2))
    assert waiting(outbox) == notices[2:]


def test_the_same_notice_may_wait_twice() -> None:
    outbox, same = Outbox(capacity=2), alert(Severity.INFO)
    for _ in range(3):
        outbox.put(same)
    assert waiting(outbox) == [same, same]
    outbox.taken(outbox.head(1))
    assert waiting(outbox) == [same]


@pytest.mark.fault(73)
def test_when_full_the_oldest_of_the_least_severe_is_given_up() -> None:
    outbox = Outbox(capacity=3)
    old, critical, new = alert(Severity.INFO, 1), alert(Severity.CRITICAL, 2), alert(Severity.INFO, 3)
    for notice in (old, critical, new, alert(Severity.WARNING, 4)):
        outbox.put(notice)
    assert old not in waiting(outbox)
    assert critical in waiting(outbox)
    assert outbox.dropped == 1


@pytest.mark.fault(73)
def test_news_does_not_push_out_an_alarm() -> None:
    outbox = Outbox(capacity=2)
    alarms = [alert(Severity.CRITICAL, at) for at in range(2)]
    for notice in (*alarms, alert(Severity.INFO)):
        outbox.put(notice)
    assert waiting(outbox) == alarms


def test_what_was_given_up_while_a_message_was_on_its_way_is_still_confessed_later() -> None:
    outbox = Outbox(capacity=1)
    for at in range(3):
        outbox.put(alert(Severity.INFO, at))
    confessed, sent = outbox.dropped, outbox.head(1)
    outbox.put(alert(Severity.INFO, 9))
    outbox.taken(sent, confessed=confessed)
    assert outbox.dropped == 1
    assert waiting(outbox) == [alert(Severity.INFO, 9)]


def test_real_money_outranks_virtual_and_an_alarm_outranks_both() -> None:
    real = PositionOpened(position=position(), at=T0)
    virtual = PositionOpened(position=position(plan(source=Source.VIRTUAL)), at=T0)
    assert severity_of(virtual) is Severity.INFO
    assert severity_of(real) is Severity.WARNING
    assert severity_of(alert(Severity.CRITICAL)) is Severity.CRITICAL


@pytest.mark.fault(73)
@given(st.lists(st.sampled_from(Severity), max_size=60), st.integers(1, 8))
def test_it_never_grows_beyond_its_capacity_and_forgets_nothing_silently(
    severities: list[Severity], capacity: int
) -> None:
    outbox = Outbox(capacity=capacity)
    for at, severity in enumerate(severities):
        outbox.put(alert(severity, at))
    kept = waiting(outbox)
    assert len(outbox) == len(kept) <= capacity
    assert len(kept) + outbox.dropped == len(severities)
    grave = sorted(map(severity_of, kept), key=list(Severity).index)
    assert grave == sorted(severities, key=list(Severity).index)[len(severities) - len(kept) :]
