"""Closed candles on their way to the streams, where faults strike them."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from exchange.sim.market.candles import Integers
from exchange.sim.server.faults.catalogue import MarketFault
from exchange.sim.server.faults.plan import FaultPlan

Candle = dict[str, Any]


class CandleFaults:
    """Replaces records of closed candles by what is sent in their place."""

    def __init__(self, plan: FaultPlan, symbols: Sequence[str]) -> None:
        self._plan = plan
        self._symbols = symbols

    def sent(self, who: Integers, records: Sequence[bytes]) -> list[list[bytes]]:
        """Return, for each symbol of ``who``, the records to send."""
        if not self._plan.has(MarketFault):
            return [[record] for record in records]
        return [
            self._of(self._symbols[index], record)
            for index, record in zip(who.tolist(), records, strict=True)
        ]

    def _of(self, symbol: str, record: bytes) -> list[bytes]:
        struck = self._plan.strike(MarketFault, symbol)
        if struck is None:
            return [record]
        match struck[0]:
            case MarketFault.CANDLE_MISSING:
                return []
            case MarketFault.CANDLE_TWICE:
                return [record, record]
            case MarketFault.CANDLE_REVISED:
                return [record, _changed(record, _revised)]
            case fault:
                return [_changed(record, _ABSURD[fault])]


def _revised(candle: Candle) -> Candle:
    return {"c": candle["h"] if candle["c"] != candle["h"] else candle["l"]}


_ABSURD: dict[MarketFault, Callable[[Candle], Candle]] = {
    MarketFault.CANDLE_ZERO: lambda _: dict.fromkeys("ohlc", "0"),
    MarketFault.CANDLE_NAN: lambda _: dict.fromkeys("ohlc", "NaN"),
    MarketFault.CANDLE_NEGATIVE: lambda candle: {"l": f"-{candle['l']}"},
    MarketFault.CANDLE_CROSSED: lambda candle: {"h": candle["l"], "l": candle["h"]},
}


def _changed(record: bytes, change: Callable[[Candle], Candle]) -> bytes:
    event = msgspec.json.decode(record)
    event["k"].update(change(event["k"]))
    return msgspec.json.encode(event)
