"""Symbols come and go while connections stay."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from core.errors import ExchangeUnavailable
from core.rng import seeded
from exchange.binance.market_stream import BinanceMarketStreams, MarketPatience
from exchange.binance.stream_keeper import StreamPatience
from tests.fakes.virtual_time import VirtualClock, run_virtually
from tests.unit.binance.test_market_stream import SYMBOLS, Exchange, Notes, kline
from tests.unit.binance.wire import ADDRESSES, ScriptedSocket

Story = Callable[[BinanceMarketStreams, VirtualClock], Coroutine[Any, Any, None]]
_CALM = StreamPatience(silence=1e6, lifetime=1e9)
CALM = MarketPatience(candles=_CALM, pushes=_CALM, books=_CALM)


class Talkative(ScriptedSocket):
    """A socket that says what it is told to, when it is told."""

    def __init__(self) -> None:
        super().__init__([], silent_after=True)
        self.spoken: asyncio.Queue[str] = asyncio.Queue()

    async def receive(self) -> str:
        return await self.spoken.get()


def streamed(exchange: Exchange, story: Story, *, symbols: Sequence[str] = SYMBOLS) -> Notes:
    async def play() -> Notes:
        notes, clock = Notes(), VirtualClock()
        streams = BinanceMarketStreams(
            exchange, ADDRESSES, symbols, notes, clock=clock, rng=seeded(1), patience=CALM
        )
        running = asyncio.create_task(streams.run())
        await clock.sleep(5)
        await story(streams, clock)
        await clock.sleep(5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return notes

    return run_virtually(play())


def requests(exchange: Exchange) -> list[list[tuple[str, list[str]]]]:
    """Return what each connection for candles was asked, in order."""
    told = [[json.loads(text) for text in socket.sent] for _, socket in exchange.opened]
    return [
        [(each["method"], each["params"]) for each in asked]
        for asked in told
        if "@kline" in asked[0]["params"][0]
    ]


def resumed(notes: Notes) -> list[tuple[Any, ...]]:
    return [each[1:] for each in notes.heard if each[0] == "resumed"]


def numbered(count: int) -> list[str]:
    return [f"S{number:03d}USDT" for number in range(count)]


def test_a_new_symbol_is_subscribed_on_the_connection_there_is() -> None:
    async def story(streams: BinanceMarketStreams, _: VirtualClock) -> None:
        streams.follow(("AUSDT", *SYMBOLS))

    exchange = Exchange()
    notes = streamed(exchange, story)
    (asked,) = requests(exchange)
    assert asked[1:] == [("SUBSCRIBE", ["ausdt@kline_1m"])]
    assert resumed(notes) == [(0, 1), (0,)]
    lost = sorted(each[0] for each in notes.heard if each[0] in {"marks lost", "books lost"})
    assert lost == ["books lost", "marks lost"], "only our own end"


def test_a_symbol_that_leaves_is_unsubscribed_before_another_takes_its_place() -> None:
    async def story(streams: BinanceMarketStreams, _: VirtualClock) -> None:
        streams.follow(("AUSDT", "ETHUSDT"))

    exchange = Exchange()
    streamed(exchange, story)
    (asked,) = requests(exchange)
    assert asked[1:] == [("UNSUBSCRIBE", ["btcusdt@kline_1m"]), ("SUBSCRIBE", ["ausdt@kline_1m"])]


def test_indices_count_on_the_new_axis_from_that_moment() -> None:
    socket = Talkative()
    exchange = Exchange({"btcusdt@kline_1m": [socket]})

    async def story(streams: BinanceMarketStreams, clock: VirtualClock) -> None:
        for symbols in (SYMBOLS, ("AUSDT", *SYMBOLS), ("ETHUSDT",)):
            streams.follow(symbols)
            socket.spoken.put_nowait(json.dumps(kline("BTCUSDT")))
            await clock.sleep(1)

    notes = streamed(exchange, story)
    assert [each[1] for each in notes.heard if each[0] == "candle"] == [0, 1]


def test_what_finds_no_room_gets_a_connection_of_its_own() -> None:
    async def story(streams: BinanceMarketStreams, _: VirtualClock) -> None:
        streams.follow(numbered(203))

    exchange = Exchange()
    notes = streamed(exchange, story, symbols=numbered(199))
    first, second = requests(exchange)
    assert first[2:] == [("SUBSCRIBE", ["s199usdt@kline_1m"])]
    assert second == [("SUBSCRIBE", [f"s{number}usdt@kline_1m" for number in (200, 201, 202)])]
    assert resumed(notes)[1:] in ([(199,), (200, 201, 202)], [(200, 201, 202), (199,)])


def test_a_connection_that_carries_nothing_any_more_is_ended() -> None:
    async def story(streams: BinanceMarketStreams, _: VirtualClock) -> None:
        streams.follow(numbered(200))

    exchange = Exchange()
    streamed(exchange, story, symbols=numbered(210))
    candles = [socket for _, socket in exchange.opened if "@kline" in socket.sent[0]]
    assert [len(socket.sent) for socket in candles] == [2, 1]
    assert len(exchange.opened) == 4


def test_a_change_while_a_connection_is_away_is_made_up_for() -> None:
    exchange = Exchange({"btcusdt@kline_1m": [ExchangeUnavailable("away")] * 99})

    async def story(streams: BinanceMarketStreams, clock: VirtualClock) -> None:
        streams.follow(("ETHUSDT", "XRPUSDT"))
        await clock.sleep(60)

    streamed(exchange, story)
    assert requests(exchange) == [[("SUBSCRIBE", ["ethusdt@kline_1m", "xrpusdt@kline_1m"])]]


def test_many_changes_at_once_are_one_question() -> None:
    async def story(streams: BinanceMarketStreams, _: VirtualClock) -> None:
        for last in range(2, 9):
            streams.follow((*SYMBOLS, *numbered(last)))

    exchange = Exchange()
    streamed(exchange, story)
    (asked,) = requests(exchange)
    assert asked[1:] == [("SUBSCRIBE", [f"s{number:03d}usdt@kline_1m" for number in range(8)])]


def test_nobody_waits_for_a_connection_that_was_ended_before_it_was_there() -> None:
    async def play() -> None:
        exchange = Exchange({"btcusdt@kline_1m": [ExchangeUnavailable("away")] * 99})
        clock = VirtualClock()
        streams = BinanceMarketStreams(
            exchange, ADDRESSES, SYMBOLS, Notes(), clock=clock, rng=seeded(1), patience=CALM
        )
        running = asyncio.create_task(streams.run())
        waiting = asyncio.create_task(streams.subscribed())
        await clock.sleep(1)
        assert not waiting.done()
        streams.follow(())
        await asyncio.wait_for(waiting, 1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtually(play())
