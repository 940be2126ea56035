"""Decoding and storing four candle updates a second of 650 symbols, as a share of a core."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson

from core.clock import SystemClock
from core.market import MINUTE_MS, CandleHistory, Field, SymbolAxis
from core.rng import seeded
from exchange.binance.addresses import BinanceAddresses
from exchange.binance.market_stream import BinanceMarketStreams
from exchange.binance.transport import HttpRequest, HttpResponse, Socket
from services.data_service import DataService

SYMBOLS = 650
UPDATES_A_SECOND = 4
SECONDS = 30
ALLOWED_SHARE = 0.05
_START = 1_764_547_200_000


class _Socket:
    """Yields prepared texts, then nothing more."""

    def __init__(self, texts: deque[str], done: asyncio.Event) -> None:
        self._texts = texts
        self._done = done

    async def receive(self) -> str:
        if self._texts:
            return self._texts.popleft()
        self._done.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, text: str) -> None: ...

    async def close(self) -> None: ...


class _Transport:
    """Gives the first connection all candles."""

    def __init__(self, texts: deque[str], done: asyncio.Event) -> None:
        self._sockets = deque([_Socket(texts, done)])

    async def connect(self, url: str) -> Socket:
        del url  # they are asked for in order, the candles first
        return self._sockets.popleft() if self._sockets else _Socket(deque(), asyncio.Event())

    async def send(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    async def close(self) -> None: ...


class _NoPages:
    """History is not what is measured."""

    async def page(self, symbol: str, timeframe_ms: int, **_bounds: Any) -> CandleHistory:
        empty = np.empty((len(Field), 0))
        return CandleHistory(
            symbol=symbol, timeframe_ms=timeframe_ms, open_times=np.empty(0, np.int64), candles=empty
        )


def run(*, seed: int = 1) -> dict[str, Any]:
    return asyncio.run(_measure(seed))


async def _measure(seed: int) -> dict[str, Any]:
    axis = SymbolAxis(tuple(f"S{number:03d}USDT" for number in range(SYMBOLS)))
    texts, done = _texts(axis, seed), asyncio.Event()
    same, count, clock = list(texts), len(texts), SystemClock()
    service = DataService(
        axis,
        _NoPages(),
        streams=lambda sink: BinanceMarketStreams(
            _Transport(texts, done),
            BinanceAddresses(rest="", ws=""),
            axis.names,
            sink,
            clock=clock,
            rng=seeded(seed),
        ),
        clock=clock,
        on_history=lambda _: None,
    )
    began = time.process_time()
    service.start()
    await done.wait()
    used = time.process_time() - began
    await service.close()
    share = used / SECONDS
    return {
        "name": "decode",
        "unit": "share of a core",
        "ours": share,
        "reference": ALLOWED_SHARE,
        "reference_name": "what we allow ourselves",
        "ratio": share / ALLOWED_SHARE,
        "messages": count,
        "microseconds_a_message": used / count * 1e6,
        **(await _others(axis, same, used)),
    }


async def _others(axis: SymbolAxis, texts: list[str], ours: float) -> dict[str, float]:
    """Time the same bytes in ccxt.pro's own handlers, and bare decoding into a dict."""
    ccxt = await _by_ccxt(axis, texts)
    return {
        "ccxt_share": ccxt / SECONDS,
        "ratio_to_ccxt": ours / ccxt,
        "json_share": _decoding(json.loads, texts) / SECONDS,
        "orjson_share": _decoding(orjson.loads, texts) / SECONDS,
    }


def _decoding(loads: Callable[[str], Any], texts: list[str]) -> float:
    began = time.process_time()
    for text in texts:
        loads(text)
    return time.process_time() - began


async def _by_ccxt(axis: SymbolAxis, texts: list[str]) -> float:
    """Hand every text to a ccxt client as its socket would; nobody awaits the candles, it only keeps them."""
    import ccxt.pro
    from aiohttp import WSMessage, WSMsgType

    exchange = ccxt.pro.binanceusdm()
    exchange.set_markets([exchange.parse_market(_listing(symbol)) for symbol in axis.names])
    client = exchange.client("wss://fstream.binance.com/market/ws/0")
    messages = [WSMessage(WSMsgType.TEXT, text, None) for text in texts]
    began = time.process_time()
    for message in messages:
        client.handle_message(message)
    used = time.process_time() - began
    if len(exchange.ohlcvs) != len(axis):
        raise RuntimeError(f"ccxt stored candles of {len(exchange.ohlcvs)} symbols")
    await exchange.close()
    return used


def _listing(symbol: str) -> dict[str, Any]:
    """Return as much of exchangeInfo as ccxt needs to know a perpetual."""
    return {
        "symbol": symbol,
        "pair": symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 0,
        "status": "TRADING",
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 4,
        "quantityPrecision": 1,
        "filters": [],
        "orderTypes": ["LIMIT", "MARKET"],
    }


def _texts(axis: SymbolAxis, seed: int) -> deque[str]:
    """Make half a minute of updates, the last round of which closes the candles."""
    rng = seeded(seed)
    rounds = SECONDS * UPDATES_A_SECOND
    prices = 100 * np.exp(rng.normal(0, 0.001, (rounds, SYMBOLS)))
    return deque(
        _text(symbol, float(prices[number, index]), number=number, closed=number == rounds - 1)
        for number in range(rounds)
        for index, symbol in enumerate(axis.names)
    )


def _text(symbol: str, price: float, *, number: int, closed: bool) -> str:
    at = _START + MINUTE_MS if closed else _START + 30_000 + number * 250
    low, high = f"{price * 0.99:.4f}", f"{price * 1.01:.4f}"
    kline = {
        "t": _START,
        "T": _START + MINUTE_MS - 1,
        "s": symbol,
        "i": "1m",
        "f": 100,
        "L": 200,
        "o": f"{price:.4f}",
        "c": f"{price:.4f}",
        "h": high,
        "l": low,
        "v": "1000.5",
        "n": 100,
        "x": closed,
        "q": "100050.25",
        "V": "500.1",
        "Q": "50010.1",
        "B": "0",
    }
    return json.dumps({"e": "kline", "E": at, "s": symbol, "k": kline}, separators=(",", ":"))
