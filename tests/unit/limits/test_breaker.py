"""The circuit breaker."""

import logging

import pytest

from core.clock import ManualClock
from core.errors import ExchangeUnavailable
from exchange.limits.breaker import CircuitBreaker, CircuitState


def broken(clock: ManualClock) -> CircuitBreaker:
    breaker = CircuitBreaker("reads", clock, failures=3, cooldown=5)
    for _ in range(3):
        breaker.failed()
    return breaker


def test_it_opens_only_after_failures_in_a_row() -> None:
    breaker = CircuitBreaker("reads", ManualClock(), failures=2)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.state is CircuitState.CLOSED
    breaker.check()


def test_while_open_nobody_asks() -> None:
    breaker = broken(ManualClock())
    assert breaker.state is CircuitState.OPEN
    with pytest.raises(ExchangeUnavailable):
        breaker.check()


def test_after_cooling_down_one_may_try_and_the_others_wait_for_him() -> None:
    clock = ManualClock()
    breaker = broken(clock)
    clock.advance_to(5_000)
    assert breaker.state is CircuitState.HALF_OPEN
    breaker.check()
    with pytest.raises(ExchangeUnavailable):
        breaker.check()


def test_his_failure_keeps_it_open() -> None:
    clock = ManualClock()
    breaker = broken(clock)
    clock.advance_to(5_000)
    breaker.check()
    breaker.failed()
    clock.advance_to(9_000)
    assert breaker.state is CircuitState.OPEN


def test_his_success_closes_it() -> None:
    clock = ManualClock()
    breaker = broken(clock)
    clock.advance_to(5_000)
    breaker.check()
    breaker.succeeded()
    assert breaker.state is CircuitState.CLOSED


def test_that_it_opens_and_closes_is_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    breaker = CircuitBreaker("reads", ManualClock(), failures=3)
    with caplog.at_level(logging.INFO):
        for _ in range(9):
            breaker.failed()
        breaker.succeeded()
        breaker.succeeded()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
