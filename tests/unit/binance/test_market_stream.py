"""Market streams: what is read out of Binance's messages, and how a connection is kept alive."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.errors import ExchangeUnavailable
from core.rng import seeded
from exchange.binance.market_stream import BinanceMarketStreams, MarketPatience
from exchange.binance.stream_keeper import StreamPatience
from exchange.binance.transport import HttpRequest, HttpResponse, Socket, SocketClosed
from tests.fakes.virtual_time import VirtualClock, run_virtually
from tests.unit.binance.wire import ADDRESSES, ScriptedSocket

SYMBOLS = ("BTCUSDT", "ETHUSDT")
USUAL = StreamPatience()


@dataclass
class Notes:
    """A sink that writes everything down."""

    heard: list[tuple[Any, ...]] = field(default_factory=list)

    def on_candle(
        self, index: int, open_time: int, candle: tuple[float, ...], *, closed: bool, at: int
    ) -> None:
        self.heard.append(("candle", index, open_time, candle, closed, at))

    def on_mark(self, index: int, mark: float, funding_rate: float, *, at: int) -> None:
        self.heard.append(("mark", index, mark, funding_rate, at))

    def on_book(self, index: int, bid: float, ask: float) -> None:
        self.heard.append(("book", index, bid, ask))

    def on_volume(self, index: int, quote_volume_24h: float) -> None:
        self.heard.append(("volume", index, quote_volume_24h))

    def on_candles_resumed(self, indices: Sequence[int]) -> None:
        self.heard.append(("resumed", *indices))

    def on_marks_lost(self) -> None:
        self.heard.append(("marks lost",))

    def on_books_lost(self) -> None:
        self.heard.append(("books lost",))


@dataclass
class Exchange:
    """Opens sockets: those prepared for a subscription first, then silent ones."""

    prepared: dict[str, list[ScriptedSocket | Exception]] = field(default_factory=dict)
    opened: list[tuple[str, ScriptedSocket]] = field(default_factory=list)

    async def connect(self, url: str) -> Socket:
        return _Late(self, url)

    async def send(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    async def close(self) -> None: ...

    def for_subscription(self, url: str, name: str) -> ScriptedSocket:
        waiting = self.prepared.get(name, [])
        socket = waiting.pop(0) if waiting else ScriptedSocket([], silent_after=True)
        if isinstance(socket, Exception):
            raise SocketClosed(str(socket))
        self.opened.append((url, socket))
        return socket


@dataclass
class _Late:
    """A socket that becomes a prepared one with its first subscription."""

    exchange: Exchange
    url: str
    real: ScriptedSocket | None = None

    async def send(self, text: str) -> None:
        if self.real is None:
            self.real = self.exchange.for_subscription(self.url, json.loads(text)["params"][0])
        await self.real.send(text)

    async def receive(self) -> str:
        assert self.real is not None
        return await self.real.receive()

    async def close(self) -> None:
        if self.real is not None:
            await self.real.close()


@dataclass
class Unreachable(Exchange):
    """Opens nothing, and notes when it was asked to."""

    attempts: list[float] = field(default_factory=list)

    async def connect(self, url: str) -> Socket:
        self.attempts.append(VirtualClock().monotonic())
        raise ExchangeUnavailable("away")


def listened(
    exchange: Exchange,
    *,
    symbols: Sequence[str] = SYMBOLS,
    seconds: float = 5.0,
    patience: StreamPatience = USUAL,
) -> Notes:
    """Stream for so many virtual seconds."""

    async def story() -> Notes:
        notes, clock = Notes(), VirtualClock()
        streams = BinanceMarketStreams(
            exchange,
            ADDRESSES,
            symbols,
            notes,
            clock=clock,
            rng=seeded(1),
            patience=MarketPatience(candles=patience, pushes=patience, books=patience),
        )
        running = asyncio.create_task(streams.run())
        await clock.sleep(seconds)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return notes

    return run_virtually(story())


def told(text: Any, *, by: str = "btcusdt@kline_1m") -> list[tuple[Any, ...]]:
    """Let one subscription bring one message; return what the sink was told before anything broke."""
    message = text if isinstance(text, str) else json.dumps(text)
    exchange = Exchange({by: [ScriptedSocket([message], silent_after=True)]})
    heard = listened(exchange, seconds=1).heard
    return [each for each in heard if each[0] in {"candle", "mark", "book", "volume"}]


def kline(symbol: str = "BTCUSDT", *, closed: bool = True) -> dict[str, Any]:
    return {
        "e": "kline",
        "E": 1638747660005,
        "s": symbol,
        "k": {
            "t": 1638747600000,
            "T": 1638747659999,
            "i": "1m",
            "o": "0.0010",
            "c": "0.0020",
            "h": "0.0025",
            "l": "0.0015",
            "v": "1000",
            "x": closed,
        },
    }


def test_candles_tell_whether_they_are_closed() -> None:
    candle = (0.001, 0.0025, 0.0015, 0.002, 1000.0)
    assert told(kline()) == [("candle", 0, 1638747600000, candle, True, 1638747660005)]
    assert told(kline(closed=False)) == [("candle", 0, 1638747600000, candle, False, 1638747660005)]


def test_symbols_we_did_not_ask_for_are_passed_over() -> None:
    assert told(kline("DOGEUSDT")) == []
    assert told({"e": "bookTicker", "s": "DOGEUSDT", "b": "1", "a": "2"}, by="!bookTicker") == []


def test_marks_and_volumes_of_the_whole_market_come_in_one_message_each() -> None:
    marks = [
        {"e": "markPriceUpdate", "E": 5, "s": "ETHUSDT", "p": "10.5", "r": "0.0001", "T": 9},
        {"e": "markPriceUpdate", "E": 5, "s": "BTCUSD_PERP", "p": "1", "r": "", "T": 0},
    ]
    tickers = [{"e": "24hrMiniTicker", "E": 5, "s": "BTCUSDT", "c": "1", "q": "7000000.5"}]
    assert told(marks, by="!markPrice@arr@1s") == [("mark", 1, 10.5, 0.0001, 5)]
    assert told(tickers, by="!markPrice@arr@1s") == [("volume", 0, 7000000.5)]


def test_books_bring_bid_and_ask() -> None:
    book = {"e": "bookTicker", "u": 4, "s": "ETHUSDT", "b": "25.35", "B": "31", "a": "25.36", "A": "40"}
    assert told(book, by="!bookTicker") == [("book", 1, 25.35, 25.36)]


def test_an_acknowledgement_and_rubbish_are_no_data() -> None:
    for text in ('{"result":null,"id":1}', "<html>", '{"e":"kline","k":{"t":"soon"}}'):
        assert told(text) == []
        assert told(text, by="!markPrice@arr@1s") == []


def test_each_kind_of_stream_has_its_own_address_and_no_connection_carries_too_many() -> None:
    exchange = Exchange()
    listened(exchange, symbols=[f"S{number}USDT" for number in range(450)])
    asked = [
        (url, [name for text in socket.sent for name in json.loads(text)["params"]])
        for url, socket in exchange.opened
    ]
    by_size = sorted((len(names), url.removeprefix(ADDRESSES.ws)) for url, names in asked)
    assert by_size == [
        (1, "/public/ws"),
        (2, "/market/ws"),
        (50, "/market/ws"),
        (200, "/market/ws"),
        (200, "/market/ws"),
    ]
    sent = [text for _, socket in exchange.opened for text in socket.sent]
    assert max(len(json.loads(text)["params"]) for text in sent) <= 100


def test_a_connection_that_stays_silent_is_made_anew() -> None:
    exchange = Exchange()
    notes = listened(exchange, seconds=50, patience=StreamPatience(silence=15))
    assert len(exchange.opened) == 3 * 3 + 3
    assert notes.heard.count(("resumed", 0, 1)) == 4


def test_a_lost_connection_comes_back_and_says_so() -> None:
    exchange = Exchange({"!bookTicker": [ScriptedSocket([]), ExchangeUnavailable("away")]})
    notes = listened(exchange, seconds=10)
    assert notes.heard.count(("books lost",)) == 3  # broken, away, and our own end
    assert notes.heard.count(("marks lost",)) == 1
    assert len([url for url, _ in exchange.opened if url == ADDRESSES.public_socket()]) == 2


@pytest.mark.fault(21)
@pytest.mark.parametrize(("streams", "seconds"), [(200, 5.0), (100, 10.0), (1, 180.0)])
def test_a_connection_of_few_streams_may_be_silent_longer(streams: int, seconds: float) -> None:
    assert MarketPatience().candles.silence_of(streams) == seconds


@pytest.mark.fault(21)
def test_a_connection_is_given_up_when_its_patience_is_over_and_not_later() -> None:
    spoke = [ScriptedSocket([json.dumps(kline())], silent_after=True)]
    exchange = Exchange({"btcusdt@kline_1m": list(spoke)})
    listened(exchange, seconds=3.5, patience=StreamPatience(silence=3.0))
    assert len(exchange.opened) == 3 + 3


@pytest.mark.fault(28)
@pytest.mark.parametrize(("rubbish", "connections"), [(19, 1), (20, 2)])
def test_many_unreadable_messages_are_a_broken_connection(rubbish: int, connections: int) -> None:
    texts = ["{"] * rubbish + [json.dumps(kline())]
    exchange = Exchange({"btcusdt@kline_1m": [ScriptedSocket(texts, silent_after=True)]})
    notes = listened(exchange, seconds=2)
    market = [url for url, socket in exchange.opened if "kline" in socket.sent[0]]
    assert len(market) == connections
    assert any(each[0] == "candle" for each in notes.heard) == (connections == 1)


@pytest.mark.fault(27)
def test_connections_cut_together_come_back_one_after_another_and_not_too_often() -> None:
    symbols = [f"S{number}USDT" for number in range(650)]
    exchange = Unreachable()
    listened(exchange, symbols=symbols, seconds=300)
    first = exchange.attempts[:6]
    second = exchange.attempts[6:12]
    assert first == [first[0]] * 6
    assert len(set(second)) == 6
    assert len(exchange.attempts) < 300  # what the exchange allows an address in five minutes


def test_streams_that_stay_silent_are_given_up_and_asked_for_again() -> None:
    async def story() -> ScriptedSocket:
        socket = ScriptedSocket([], silent_after=True)
        exchange = Exchange({"btcusdt@kline_1m": [socket]})
        clock = VirtualClock()
        streams = BinanceMarketStreams(
            exchange, ADDRESSES, SYMBOLS, Notes(), clock=clock, rng=seeded(1), patience=MarketPatience()
        )
        running = asyncio.create_task(streams.run())
        await clock.sleep(1)
        streams.renew(["ETHUSDT", "DOGEUSDT"])
        await clock.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return socket

    said = [json.loads(text) for text in run_virtually(story()).sent]
    assert [(each["method"], each["params"]) for each in said] == [
        ("SUBSCRIBE", ["btcusdt@kline_1m", "ethusdt@kline_1m"]),
        ("UNSUBSCRIBE", ["ethusdt@kline_1m"]),
        ("SUBSCRIBE", ["ethusdt@kline_1m"]),
    ]


@pytest.mark.fault(27)
def test_connections_are_renewed_before_the_exchange_ends_them() -> None:
    exchange = Exchange()
    listened(exchange, seconds=3600, patience=StreamPatience(silence=10_000, lifetime=3000))
    assert len(exchange.opened) == 6
