"""The public REST endpoints: market data, answered from the market's present moment."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from core.instruments import Instrument
from exchange.sim.market.candles import Bars, Integers, Row
from exchange.sim.market.funding import CAP, HOUR_MS, LONG_INTERVAL_HOURS
from exchange.sim.market.market import Market
from exchange.sim.server import refusals
from exchange.sim.server.exchange_info import exchange_info
from exchange.sim.server.intervals import INTERVALS
from exchange.sim.server.payloads import listing
from exchange.sim.server.stepper import MarketTime
from exchange.sim.server.view import View
from exchange.sim.server.weights import Params

_MOST_CANDLES = 1500
_DEFAULT_CANDLES = 500
_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
_EIGHT = 8
_DAYS_OF_INTEREST = 0.4  # open interest is modelled as this share of a day's volume

Handler = Callable[[Params], bytes]


class MarketData:
    """Answers public calls: ``routes`` maps paths to handlers, which return JSON or raise ``Refusal``."""

    def __init__(
        self,
        market: Market,
        view: View,
        *,
        contracts: Mapping[str, Instrument],
        time: MarketTime,
        weight_limit: int,
    ) -> None:
        self._market = market
        self._funding = view.funding
        self._payloads = view.payloads
        self._depths = view.depths
        self._contracts = contracts
        self._time = time
        self._weight_limit = weight_limit
        self.routes: dict[str, Handler] = {
            "/fapi/v1/ping": lambda _: b"{}",
            "/fapi/v1/time": self._server_time,
            "/fapi/v1/exchangeInfo": self._exchange_info,
            "/fapi/v1/klines": self._klines,
            "/fapi/v1/continuousKlines": self._continuous_klines,
            "/fapi/v1/markPriceKlines": self._mark_price_klines,
            "/fapi/v1/indexPriceKlines": self._index_price_klines,
            "/fapi/v1/premiumIndexKlines": self._premium_index_klines,
            "/fapi/v1/premiumIndex": self._premium_index,
            "/fapi/v1/ticker/24hr": lambda params: self._tickers(
                params, lambda who: self._payloads.day_tickers(who, stream=False)
            ),
            "/fapi/v1/ticker/price": lambda params: self._tickers(params, self._payloads.prices),
            "/fapi/v2/ticker/price": lambda params: self._tickers(params, self._payloads.prices),
            "/fapi/v1/ticker/bookTicker": lambda params: self._tickers(
                params, lambda who: self._payloads.book_tickers(who, stream=False)
            ),
            "/fapi/v1/depth": self._depth,
            "/fapi/v1/rpiDepth": self._depth,  # nobody here improves prices for retail
            "/fapi/v1/indexInfo": lambda _: b"[]",  # no contract here follows a composite index
            "/sapi/v1/system/status": lambda _: b'{"status":0,"msg":"normal"}',
            "/fapi/v1/symbolAdlRisk": self._adl_risk,
            "/fapi/v1/trades": self._trades,
            "/fapi/v1/historicalTrades": self._trades,
            "/fapi/v1/aggTrades": self._agg_trades,
            "/fapi/v1/fundingRate": self._funding_rates,
            "/fapi/v1/fundingInfo": self._funding_info,
            "/fapi/v1/openInterest": self._open_interest,
        }

    def _server_time(self, _params: Params) -> bytes:
        return msgspec.json.encode({"serverTime": self._time.wire_ms()})

    def _exchange_info(self, _params: Params) -> bytes:
        info = exchange_info(
            self._contracts.values(),
            now_ms=self._market.now_ms,
            server_ms=self._time.wire_ms(),
            weight_limit=self._weight_limit,
        )
        return msgspec.json.encode(info)

    def _klines(self, params: Params) -> bytes:
        index = self._index(params.get("symbol"))
        return self._payloads.kline_rows(index, self._chosen(index, params))

    def _continuous_klines(self, params: Params) -> bytes:
        if params.get("contractType") != "PERPETUAL":
            raise refusals.malformed("contractType")
        index = self._index(_needed(params, "pair"))
        return self._payloads.kline_rows(index, self._chosen(index, params))

    def _mark_price_klines(self, params: Params) -> bytes:
        """Answer with the traded candles: the mark follows the last price within seconds."""
        index = self._index(params.get("symbol"))
        return self._payloads.price_rows(self._chosen(index, params), decimals=self._decimals(index))

    def _index_price_klines(self, params: Params) -> bytes:
        index = self._index(_needed(params, "pair"))
        bars = self._chosen(index, params)
        rate = self._funding.next_rates(self._market.now_ms)[index]
        rows = bars.rows.copy()
        rows[: Row.VOLUME] = np.rint(rows[: Row.VOLUME] / (1 + rate))
        return self._payloads.price_rows(
            Bars(bars.interval_ms, bars.first_ms, rows), decimals=self._decimals(index)
        )

    def _premium_index_klines(self, params: Params) -> bytes:
        """Answer with the funding rates in force, which is what the premium is made of here."""
        index = self._index(params.get("symbol"))
        bars = self._chosen(index, params)
        hours = self._funding.interval_hours[index] * HOUR_MS
        settled = (bars.open_times // hours + 1) * hours
        rates = [self._funding.rates_at(int(at))[index] for at in settled]
        rows = bars.rows.copy()
        rows[: Row.VOLUME] = np.maximum(np.rint(np.array(rates) * 10**_EIGHT), 1)
        return self._payloads.price_rows(Bars(bars.interval_ms, bars.first_ms, rows), decimals=_EIGHT)

    def _premium_index(self, params: Params) -> bytes:
        return self._tickers(params, lambda who: self._payloads.marks(who, stream=False))

    def _tickers(self, params: Params, render: Callable[[Integers], list[bytes]]) -> bytes:
        """Answer for one symbol with an object, for all with an array."""
        if params.get("symbol"):
            return render(np.array([self._index(params["symbol"])]))[0]
        return listing(render(np.flatnonzero(self._market.last > 0)))

    def _depth(self, params: Params) -> bytes:
        index = self._index(params.get("symbol"))
        limit = _whole(params, "limit", 500)
        if limit not in _DEPTHS:
            raise refusals.Refusal(-4021, f"{limit} is not valid depth limit.")
        return self._depths.snapshot(index, count=limit)

    def _adl_risk(self, params: Params) -> bytes:
        """Answer "low" everywhere: no other traders are modelled whose losses could reach anybody."""
        symbols = [params["symbol"]] if params.get("symbol") else list(self._contracts)
        rows = [
            {"symbol": self._market.instruments[self._index(each)].symbol, "adlRisk": "low",
             "updateTime": self._market.now_ms}
            for each in symbols
        ]  # fmt: skip
        return msgspec.json.encode(rows[0] if params.get("symbol") else rows)

    def _agg_trades(self, params: Params) -> bytes:
        """Answer from the last quarter of an hour: older trades are not kept."""
        return msgspec.json.encode(self._chosen_trades(params, "a"))

    def _trades(self, params: Params) -> bytes:
        rows = [
            {
                "id": trade["a"],
                "price": trade["p"],
                "qty": trade["q"],
                "quoteQty": f"{float(trade['p']) * float(trade['q']):.8f}",
                "time": trade["T"],
                "isBuyerMaker": trade["m"],
                "isRPITrade": False,
            }
            for trade in self._chosen_trades(params, "a")
        ]
        return msgspec.json.encode(rows)

    def _chosen_trades(self, params: Params, id_field: str) -> list[dict[str, Any]]:
        limit = _whole(params, "limit", _DEFAULT_CANDLES)
        if not 1 <= limit <= 1000:
            raise refusals.malformed("limit")
        first, start = _whole(params, "fromId", 0), _whole(params, "startTime", 0)
        end = _whole(params, "endTime", self._market.now_ms)
        trades = [
            trade
            for trade in self._payloads.trades(self._index(params.get("symbol")))
            if trade[id_field] >= first and start <= trade["T"] <= end
        ]
        return trades[:limit] if first or start else trades[-limit:]

    def _funding_rates(self, params: Params) -> bytes:
        """Answer with past settlements, oldest first, as far back as the candles go."""
        index = self._index(params.get("symbol"))
        limit = min(_whole(params, "limit", 100), 1000)
        interval = int(self._funding.interval_hours[index]) * HOUR_MS
        earliest = max(_whole(params, "startTime", 0), self._market.quarters.first_ms)
        latest = min(_whole(params, "endTime", self._market.now_ms), self._market.now_ms)
        times = list(range(-(-earliest // interval) * interval, latest + 1, interval))
        chosen = times[:limit] if params.get("startTime") else times[-limit:]
        return msgspec.json.encode([self._settlement(index, at) for at in chosen])

    def _settlement(self, index: int, settled_ms: int) -> dict[str, Any]:
        stored = self._market.quarters.of(index)
        number = int((settled_ms - stored.first_ms) // stored.interval_ms)
        points = stored.rows[Row.OPEN, min(number, stored.rows.shape[1] - 1)]
        decimals = self._decimals(index)
        return {
            "symbol": self._market.instruments[index].symbol,
            "fundingTime": settled_ms,
            "fundingRate": f"{self._funding.rates_at(settled_ms)[index]:.8f}",
            "markPrice": f"{int(points) / 10**decimals:.8f}",
        }

    def _funding_info(self, _params: Params) -> bytes:
        """Answer, as Binance does, with the symbols whose interval is not eight hours."""
        hours = self._funding.interval_hours
        rows = [
            {
                "symbol": each.symbol,
                "adjustedFundingRateCap": f"{CAP:.8f}",
                "adjustedFundingRateFloor": f"{-CAP:.8f}",
                "fundingIntervalHours": int(hours[number]),
                "disclaimer": False,
                "updateTime": self._time.started_ms,
            }
            for number, each in enumerate(self._market.instruments)
            if hours[number] != LONG_INTERVAL_HOURS
        ]
        return msgspec.json.encode(rows)

    def _open_interest(self, params: Params) -> bytes:
        index = self._index(params.get("symbol"))
        instrument = self._market.instruments[index]
        contracts = _DAYS_OF_INTEREST * instrument.daily_quote_volume / instrument.reference_price
        answer = {
            "symbol": instrument.symbol,
            "openInterest": f"{contracts:.3f}",
            "time": self._market.now_ms,
        }
        return msgspec.json.encode(answer)

    def _index(self, symbol: str | None) -> int:
        if not symbol:
            raise refusals.missing("symbol")
        index = self._market.index_of.get(symbol)
        if index is None or not self._market.last[index]:
            raise refusals.bad_symbol()
        return index

    def _decimals(self, index: int) -> int:
        return int(self._market.scales.price_decimals[index])

    def _chosen(self, index: int, params: Params) -> Bars:
        """Return the candles that ``interval``, ``startTime``, ``endTime`` and ``limit`` ask for."""
        interval = INTERVALS.get(_needed(params, "interval"))
        if interval is None:
            raise refusals.bad_interval()
        limit = _whole(params, "limit", _DEFAULT_CANDLES)
        if not 1 <= limit <= _MOST_CANDLES:
            raise refusals.malformed("limit")
        bars = self._market.bars(index, interval)
        count = bars.rows.shape[-1]
        first = _number_from(bars, _whole(params, "startTime", bars.first_ms))
        last = min(count, (_whole(params, "endTime", self._market.now_ms) - bars.first_ms) // interval + 1)
        if params.get("startTime"):
            last = min(last, first + limit)
        first = min(max(first, last - limit), count)
        return Bars(interval, bars.first_ms + first * interval, bars.rows[:, first : max(first, last)])


def _number_from(bars: Bars, start_ms: int) -> int:
    return max(0, -(-(start_ms - bars.first_ms) // bars.interval_ms))


def _needed(params: Params, name: str) -> str:
    value = params.get(name)
    if not value:
        raise refusals.missing(name)
    return value


def _whole(params: Params, name: str, default: int) -> int:
    text = params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise refusals.malformed(name)
    return int(text)
