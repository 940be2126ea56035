"""How market time passes: at its speed, until it is held, and no faster than clients read."""

import pytest

from exchange.sim.config import SimConfig
from exchange.sim.process import Simulator
from exchange.sim.server.hub import CONGESTED_BYTES
from tests.fakes.virtual_time import VirtualClock, run_virtually
from tests.unit.sim_market.test_streams import FakeTransport


class StuckTransport(FakeTransport):
    """Has more unsent than a client may leave unread, until it is cut."""

    def __init__(self) -> None:
        super().__init__()
        self.cuts = 0

    def get_write_buffer_size(self) -> int:
        return CONGESTED_BYTES + 1

    def is_closing(self) -> bool:
        return self.cuts > 0

    def abort(self) -> None:
        self.cuts += 1


def simulator(*, speed: float, minutes: int | None = None) -> Simulator:
    config = SimConfig(symbols=1, history_bars=16, speed=speed, minutes=minutes)
    return Simulator(config, clock=VirtualClock())


@pytest.mark.parametrize("speed", [1.0, 60.0, 7.5])
def test_market_time_keeps_its_speed(speed: float) -> None:
    async def story() -> None:
        market = simulator(speed=speed)
        market.let_time_pass()
        await VirtualClock().sleep(100)
        passed = (market.time.now_ms - market.time.started_ms) / 1000
        assert passed == pytest.approx(100 * speed, abs=2)
        assert market.stepper.effective_speed() == pytest.approx(speed, rel=0.05)

    run_virtually(story())


def test_the_market_holds_after_its_minutes_and_goes_on_when_told() -> None:
    async def story() -> None:
        market = simulator(speed=60.0, minutes=3)
        market.let_time_pass()
        await VirtualClock().sleep(60)
        assert (market.time.minutes_done, market.time.is_held) == (3, True)
        market.time.run_for(2)
        await VirtualClock().sleep(60)
        assert market.time.minutes_done == 5

    run_virtually(story())


def test_a_stuck_reader_stops_the_market_until_it_is_cut_off() -> None:
    async def story() -> None:
        market = simulator(speed=60.0)
        stuck = StuckTransport()
        market.conversations.open("/market/ws/ethusdt@kline_1m", stuck)
        market.let_time_pass()
        await VirtualClock().sleep(8)
        assert market.time.now_ms == market.time.started_ms
        assert stuck.cuts == 0
        await VirtualClock().sleep(8)
        assert stuck.cuts == 1
        assert market.time.now_ms > market.time.started_ms

    run_virtually(story())


def test_unfinished_candles_come_four_times_a_second_at_any_speed() -> None:
    async def story() -> None:
        market = simulator(speed=600.0)
        reader = FakeTransport()
        market.conversations.open("/market/ws/ethusdt@kline_1m", reader)
        market.let_time_pass()
        await VirtualClock().sleep(10)
        assert reader.written.count(b'"x":true') == pytest.approx(100, abs=2)
        assert reader.written.count(b'"x":false') == pytest.approx(40, abs=4)

    run_virtually(story())
