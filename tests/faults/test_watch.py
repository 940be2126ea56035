"""How much patience the watch has with a trader in whose way something is."""

from core.clock import ManualClock
from exchange.binance.transport import HttpRequest, HttpResponse
from tests.faults.exchange import StormExchange
from tests.faults.plan import Weather
from tests.faults.watch import Watch


async def test_of_a_ban_a_machine_that_slept_has_as_much_before_it_as_when_it_fell_asleep() -> None:
    clock, watch = banned_for(10)
    clock.advance_to(4_000)
    clock.advance_to(64_000)
    watch.slept(since=4.0)
    assert watch.trouble_at == 64.0 + 6.0


async def test_a_ban_that_was_over_before_the_sleep_is_no_excuse_after_it() -> None:
    clock, watch = banned_for(10)
    clock.advance_to(64_000)
    watch.slept(since=11.0)
    assert watch.trouble_at == 64.0


def banned_for(seconds: int) -> tuple[ManualClock, Watch]:
    """Return a watch that has just heard the trader being turned away, and its clock, at zero."""
    clock = ManualClock()
    watch = Watch(StormExchange(Weather(seed=1), clock), clock, most_positions=3)
    turned_away = HttpResponse(status=429, headers={"Retry-After": str(seconds)}, body=b"")
    watch.told(HttpRequest(method="GET", url="http://exchange", headers={}, body=None), turned_away)
    return clock, watch
