"""Market data as Binance words it: candles, tickers and marks of one symbol or of all."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.market import DAY_MS
from exchange.sim.market.book import Book
from exchange.sim.market.candles import QUOTE_DECIMALS, Bars, Integers, Row
from exchange.sim.market.funding import FundingSchedule
from exchange.sim.market.market import Market
from exchange.sim.server.records import TEXT, Column, Template, Texts

_EIGHT = 8
_AVERAGE_TRADE = 100 * 10**QUOTE_DECIMALS  # USDT; the number of trades is modelled from it
_TRADES_A_MINUTE = 1_000_000  # trade ids count on from here each minute, so that they never fall

_ROW = '[<t>,"<o>","<h>","<l>","<c>","<v>",<T>,"<q>",<n>,"<V>","<Q>","0"],'
_PRICE_ROW = '[<t>,"<o>","<h>","<l>","<c>","0",<T>,"0",<n>,"0","0","0"],'
_KLINE = (
    '{"e":"kline","E":<E>,"s":"<s>","k":{"t":<t>,"T":<T>,"s":"<s>","i":"%s","f":<f>,"L":<L>,'
    '"o":"<o>","c":"<c>","h":"<h>","l":"<l>","v":"<v>","n":<n>,"x":%s,"q":"<q>","V":"<V>","Q":"<Q>","B":"0"}}'
)
_MARK = '{"e":"markPriceUpdate","E":<E>,"s":"<s>","p":"<p>","i":"<i>","P":"<p>","r":"<r>","T":<T>,"st":1}'
_PREMIUM = (
    '{"symbol":"<s>","markPrice":"<p>","indexPrice":"<i>","estimatedSettlePrice":"<p>",'
    '"lastFundingRate":"<r>","interestRate":"0.00010000","nextFundingTime":<T>,"time":<E>}'
)
_BOOK = (
    '{"e":"bookTicker","u":<u>,"E":<E>,"T":<E>,"s":"<s>",'
    '"b":"<b>","B":"<B>","a":"<a>","A":"<A>","st":1,"ps":"<s>"}'
)
_BOOK_REST = (
    '{"symbol":"<s>","bidPrice":"<b>","bidQty":"<B>","askPrice":"<a>","askQty":"<A>",'
    '"time":<E>,"lastUpdateId":<u>}'
)
_MINI = (
    '{"e":"24hrMiniTicker","E":<E>,"s":"<s>",'
    '"c":"<c>","o":"<o>","h":"<h>","l":"<l>","v":"<v>","q":"<q>","st":1}'
)
_DAY = (
    '{"symbol":"<s>","priceChange":"<p>","priceChangePercent":"<P>","weightedAvgPrice":"<w>","lastPrice":"<c>",'
    '"lastQty":"<m>","openPrice":"<o>","highPrice":"<h>","lowPrice":"<l>","volume":"<v>","quoteVolume":"<q>",'
    '"openTime":<O>,"closeTime":<C>,"firstId":<f>,"lastId":<L>,"count":<n>}'
)
_DAY_EVENT = (
    '{"e":"24hrTicker","E":<E>,"s":"<s>","p":"<p>","P":"<P>","w":"<w>","c":"<c>","Q":"<m>","o":"<o>","h":"<h>",'
    '"l":"<l>","v":"<v>","q":"<q>","O":<O>,"C":<C>,"F":<f>,"L":<L>,"n":<n>,"st":1}'
)
_PRICE = '{"symbol":"<s>","price":"<c>","time":<E>}'


class Payloads:
    """Renders the market at this moment; methods that take ``who`` return one record a symbol of it."""

    def __init__(self, market: Market, book: Book, funding: FundingSchedule) -> None:
        self._market = market
        self._book = book
        self._funding = funding
        scales = market.scales
        self._price, self._lots = scales.price_decimals, scales.volume_decimals
        self._texts = Texts([each.symbol for each in market.instruments])
        self._templates: dict[str, Template] = {}
        self._rows = Template(_ROW)
        self._price_rows = Template(_PRICE_ROW)
        self._day: tuple[int, Integers] | None = None

    def kline_rows(self, index: int, bars: Bars) -> bytes:
        """Return the JSON array of /klines for the candles that exist among ``bars``."""
        opens, rows = bars.existing()
        columns = _candle_columns(opens, rows, bars.interval_ms)
        price, lots = int(self._price[index]), int(self._lots[index])
        return _array(self._rows.render_joined(columns, decimals=_places(price, lots), rows=len(opens)))

    def price_rows(self, bars: Bars, *, decimals: int) -> bytes:
        """Return candles of a price that is not traded (mark, index, premium): no volume."""
        opens, rows = bars.existing()
        columns = _candle_columns(opens, rows, bars.interval_ms)
        return _array(self._price_rows.render_joined(columns, decimals=_places(decimals, 0), rows=len(opens)))

    def kline_events(
        self, who: Integers, candles: Integers, *, interval: str, open_ms: int, interval_ms: int, closed: bool
    ) -> list[bytes]:
        """Return a kline event for each symbol of ``who`` out of ``candles`` ``[6, S]``."""
        rows = candles[:, who]
        opens = np.full(len(who), open_ms, np.int64)
        columns = _candle_columns(opens, rows, interval_ms) | self._event(who)
        template = self._template(_KLINE % (interval, "true" if closed else "false"))
        decimals = _places(self._price[who], self._lots[who]) | {"s": TEXT}
        return template.render(columns, decimals=decimals, rows=len(who))

    def marks(self, who: Integers, *, stream: bool) -> list[bytes]:
        """Return mark price, index and funding: stream events, or entries of /premiumIndex."""
        rates = self._funding.next_rates(self._market.now_ms)[who]
        mark = self._market.mark[who] * self._market.scales.point[who]
        columns = self._event(who) | {
            "p": _fixed(mark, _EIGHT),
            "i": _fixed(mark / (1 + rates), _EIGHT),
            "r": _fixed(rates, _EIGHT),
            "T": self._funding.next_times(self._market.now_ms)[who],
        }
        decimals: dict[str, Column] = {"s": TEXT, "p": _EIGHT, "i": _EIGHT, "r": _EIGHT}
        return self._template(_MARK if stream else _PREMIUM).render(columns, decimals=decimals, rows=len(who))

    def book_tickers(self, who: Integers, *, stream: bool) -> list[bytes]:
        bids, asks = self._book.best()
        quantities = self._book.top_quantities()[who]
        columns = self._event(who) | {
            "u": self._market.now_ms,
            "b": bids[who],
            "a": asks[who],
            "B": quantities,
            "A": quantities,
        }
        lots, price = self._lots[who], self._price[who]
        decimals: dict[str, Column] = {"s": TEXT, "b": price, "a": price, "B": lots, "A": lots}
        template = self._template(_BOOK if stream else _BOOK_REST)
        return template.render(columns, decimals=decimals, rows=len(who))

    def mini_tickers(self, who: Integers) -> list[bytes]:
        columns = _candle_columns(0, self._last_day()[:, who], DAY_MS) | self._event(who)
        decimals = _places(self._price[who], self._lots[who]) | {"s": TEXT}
        return self._template(_MINI).render(columns, decimals=decimals, rows=len(who))

    def day_tickers(self, who: Integers, *, stream: bool) -> list[bytes]:
        """Return 24 h statistics: stream events, or entries of /ticker/24hr."""
        day = self._last_day()[:, who]
        change = day[Row.CLOSE] - day[Row.OPEN]
        mean = _mean_price(day, self._market, who)
        columns = _candle_columns(self._market.now_ms - DAY_MS, day, DAY_MS) | self._event(who)
        columns |= {
            "p": change,
            "P": _fixed(change / np.maximum(day[Row.OPEN], 1), 5),
            "w": mean,
            "m": self._book.top_quantities()[who],
            "O": self._market.now_ms - DAY_MS,
            "C": self._market.now_ms,
        }
        price = self._price[who]
        decimals = _places(price, self._lots[who]) | {"s": TEXT, "p": price, "P": 3, "w": price}
        decimals["m"] = self._lots[who]
        template = self._template(_DAY_EVENT if stream else _DAY)
        return template.render(columns, decimals=decimals, rows=len(who))

    def prices(self, who: Integers) -> list[bytes]:
        columns = self._event(who) | {"c": self._market.last[who]}
        return self._template(_PRICE).render(
            columns, decimals={"s": TEXT, "c": self._price[who]}, rows=len(who)
        )

    def depth(self, index: int, *, count: int) -> dict[str, list[list[str]]]:
        """Return both sides of one book, best first, as pairs of price and quantity."""
        return {
            "bids": self._levels(index, asks=False, count=count),
            "asks": self._levels(index, asks=True, count=count),
        }

    def trades(self, index: int, *, since_ms: int = 0) -> list[dict[str, Any]]:
        """Return one symbol's aggregate trades after ``since_ms`` as /aggTrades words them, oldest first.

        Each stands for what a second traded; buyers are makers where the price fell.
        """
        tape = self._market.trades(index)
        falls = np.diff(tape.points, prepend=tape.points[:1]) < 0
        price, lots = int(self._price[index]), int(self._lots[index])
        new = slice(int(np.searchsorted(tape.times, since_ms, "right")), None)
        columns = (tape.times, tape.points, tape.lots, falls)
        rows = zip(*(column[new].tolist() for column in columns), strict=True)
        return [
            {
                "a": at // 1000,
                "p": f"{points / 10**price:.{price}f}",
                "q": f"{quantity / 10**lots:.{lots}f}",
                "f": at // 1000,
                "l": at // 1000,
                "T": at,
                "m": fell,
            }
            for at, points, quantity, fell in rows
            if points and quantity
        ]

    def trade_events(self, index: int, channel: str, *, since_ms: int) -> list[bytes]:
        """Return the events of one symbol's trades after ``since_ms``, as "trade" or as "aggTrade"."""
        symbol = self._market.instruments[index].symbol
        head = {"e": channel, "E": self._market.now_ms, "s": symbol}
        trades = self.trades(index, since_ms=since_ms)
        if channel == "trade":
            single = (
                {"t": each["a"], **{key: each[key] for key in "pqTm"}, "X": "MARKET"} for each in trades
            )
            return [msgspec.json.encode({**head, **each}) for each in single]
        return [msgspec.json.encode({**head, **each}) for each in trades]

    def _levels(self, index: int, *, asks: bool, count: int) -> list[list[str]]:
        prices, quantities = self._book.levels(index, asks=asks, count=count)
        decimals, places = int(self._price[index]), int(self._lots[index])
        return [
            [f"{price / 10**decimals:.{decimals}f}", f"{quantity / 10**places:.{places}f}"]
            for price, quantity in zip(prices.tolist(), quantities.tolist(), strict=True)
        ]

    def _event(self, who: Integers) -> dict[str, Column]:
        return {"s": who, "E": self._market.now_ms}

    def _template(self, text: str) -> Template:
        if text not in self._templates:
            self._templates[text] = Template(text, texts=self._texts)
        return self._templates[text]

    def _last_day(self) -> Integers:
        """Return the 24 h candles, looked up once a market second however many ask."""
        if self._day is None or self._day[0] != self._market.now_ms:
            self._day = self._market.now_ms, self._market.last_day()
        return self._day[1]


def listing(records: Sequence[bytes]) -> bytes:
    """Join records to a JSON array."""
    return b"[" + b",".join(records) + b"]"


def _array(joined: bytes) -> bytes:
    return b"[" + joined[:-1] + b"]"


def _candle_columns(opens: Column, rows: Integers, interval_ms: int) -> dict[str, Column]:
    """Return the columns of ``rows`` ``[6, n]``; what a recording does not hold is modelled from its shape.

    Takers buy the more, the higher the candle closes in its range; a trade is 100 USDT on average.
    """
    spread = rows[Row.HIGH] - rows[Row.LOW] + 1
    lean = 0.5 + 0.4 * (rows[Row.CLOSE] - rows[Row.OPEN]) / spread
    trades = rows[Row.QUOTE] // _AVERAGE_TRADE + (rows[Row.VOLUME] > 0)
    first = np.asarray(opens) // 60_000 * _TRADES_A_MINUTE
    return {
        "t": opens,
        "T": opens + interval_ms - 1,
        "o": rows[Row.OPEN],
        "h": rows[Row.HIGH],
        "l": rows[Row.LOW],
        "c": rows[Row.CLOSE],
        "v": rows[Row.VOLUME],
        "q": rows[Row.QUOTE],
        "V": (rows[Row.VOLUME] * lean).astype(np.int64),
        "Q": (rows[Row.QUOTE] * lean).astype(np.int64),
        "n": trades,
        "f": np.where(trades > 0, first, -1),
        "L": np.where(trades > 0, first + trades - 1, -1),
    }


def _places(price: Column, lots: Column) -> dict[str, Column]:
    prices: Mapping[str, Column] = dict.fromkeys("ohlc", price)
    return {**prices, "v": lots, "V": lots, "q": QUOTE_DECIMALS, "Q": QUOTE_DECIMALS}


def _mean_price(day: Integers, market: Market, who: Integers) -> Integers:
    """Return quote volume ÷ volume in points."""
    scales = market.scales
    value = day[Row.QUOTE] / 10.0**QUOTE_DECIMALS
    traded = np.maximum(day[Row.VOLUME] * scales.lot[who], 1e-12) * scales.point[who]
    return np.rint(np.where(day[Row.VOLUME] > 0, value / traded, day[Row.CLOSE])).astype(np.int64)


def _fixed(values: NDArray[np.float64], decimals: int) -> Integers:
    return np.rint(values * 10.0**decimals).astype(np.int64)
