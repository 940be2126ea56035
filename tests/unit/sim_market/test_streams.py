"""Stream names, routes, and who gets what."""

import numpy as np
import pytest

from core.clock import ManualClock
from exchange.sim.server.hub import Connection, Hub
from exchange.sim.server.listen_keys import ListenKeys
from exchange.sim.server.refusals import Refusal
from exchange.sim.server.streams import Route, parse_stream

INDEX = {"BTCUSDT": 0, "ETHUSDT": 1}


class FakeTransport:
    """Keeps what is written, and says how much of it nobody has read."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.written += b"closed"

    def abort(self) -> None:
        raise AssertionError("nobody is cut off here")

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return len(self.written)


def listener(hub: Hub, *names: str, route: Route = Route.MARKET, combined: bool = False) -> FakeTransport:
    transport = FakeTransport()
    connection = Connection(transport, route, combined=combined)
    connection.subscribe_all({name: parse_stream(name, INDEX) for name in names})
    hub.connections[connection] = None
    return transport


@pytest.mark.parametrize(
    ("name", "channel", "index"),
    [
        ("btcusdt@kline_1m", "kline_1m", 0),
        ("ethusdt@kline_15m", "kline_15m", 1),
        ("ethusdt@markPrice@1s", "markPrice", 1),
        ("!markPrice@arr@1s", "markPrice", None),
        ("btcusdt@bookTicker", "bookTicker", 0),
        ("btcusdt@depth5", "depth5", 0),
        ("btcusdt@depth20@100ms", "depth20", 0),
    ],
)
def test_streams_are_known_by_name(name: str, channel: str, index: int | None) -> None:
    stream = parse_stream(name, INDEX)
    assert stream is not None
    assert (stream.channel, stream.index) == (channel, index)


@pytest.mark.parametrize(
    "name", ["0", "", "@", "xyzusdt@kline_1m", "btcusdt@kline_7m", "btcusdt@nonsense", "!"]
)
def test_what_is_no_stream_is_nothing(name: str) -> None:
    assert parse_stream(name, INDEX) is None


@pytest.mark.parametrize(
    ("route", "candles", "books"),
    [(Route.MARKET, True, False), (Route.PUBLIC, False, True), (Route.UNROUTED, False, True)],
)
def test_each_route_delivers_its_own_streams(route: Route, candles: bool, books: bool) -> None:
    assert route.delivers("kline_1m") is candles
    assert route.delivers("bookTicker") is books


def test_a_payload_reaches_those_who_asked_for_it_and_only_them() -> None:
    hub = Hub()
    one, both = listener(hub, "btcusdt@kline_1m"), listener(hub, "btcusdt@kline_1m", "ethusdt@kline_1m")
    silent = listener(hub, "btcusdt@kline_1m", route=Route.UNROUTED)
    assert hub.audience("kline_1m").tolist() == [0, 1]  # type: ignore[union-attr]
    hub.deliver("kline_1m", np.array([0, 1]), [b"B", b"E"])
    assert one.written == b"\x81\x01B"
    assert both.written == b"\x81\x01B\x81\x01E"
    assert silent.written == b""


def test_a_combined_stream_names_each_payload() -> None:
    hub = Hub()
    reader = listener(hub, "btcusdt@kline_1m", combined=True)
    hub.deliver("kline_1m", np.array([0]), [b"1"])
    assert reader.written[2:] == b'{"stream":"btcusdt@kline_1m","data":1}'


def test_the_whole_market_comes_as_one_array() -> None:
    hub = Hub()
    reader = listener(hub, "!markPrice@arr@1s")
    assert hub.audience("markPrice") is None
    hub.deliver("markPrice", np.array([0, 1]), [b"1", b"2"])
    assert reader.written[2:] == b"[1,2]"


def test_a_reader_that_does_not_read_is_found() -> None:
    hub = Hub()
    reader = listener(hub)
    assert hub.most_unsent() is None
    reader.write(b"x" * 5_000_000)
    assert hub.most_unsent() is not None


def test_a_connection_is_closed_when_its_day_is_over() -> None:
    hub = Hub()
    reader = listener(hub)
    hub.retire(-1.0)
    assert reader.written == b""
    hub.retire(1.0)
    assert reader.written == b"\x88\x02\x03\xe9closed"
    assert not hub.connections


def test_a_listen_key_lives_an_hour_and_can_be_extended() -> None:
    clock = ManualClock()
    keys = ListenKeys(clock)
    key = keys.issue("me")
    clock.advance_to(3_000_000)
    assert keys.extend("me") == key == keys.issue("me")
    clock.advance_to(6_000_000)
    assert keys.expire() == []
    clock.advance_to(7_000_000)
    assert keys.expire() == [key]
    assert keys.account_of(key) is None
    with pytest.raises(Refusal):
        keys.extend("me")
