"""Closed candles on their way to the streams, where faults strike them."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from core.clock import Clock
from exchange.sim.market.candles import Integers
from exchange.sim.server.faults.catalogue import MarketFault
from exchange.sim.server.faults.plan import FaultPlan

Candle = dict[str, Any]


class CandleFaults:
    """Replaces records of closed candles by what is sent in their place."""

    def __init__(self, plan: FaultPlan, symbols: Sequence[str], clock: Clock) -> None:
        self._plan = plan
        self._symbols = symbols
        self._clock = clock
        self._late: list[tuple[float, str, int, bytes]] = []
        self._silent_until: dict[int, float] = {}

    def sent(self, channel: str, who: Integers, records: Sequence[bytes]) -> list[list[bytes]]:
        """Return, for each symbol of ``who``, the records to send now."""
        if not self._plan.has(MarketFault):
            return [[record] for record in records]
        return [self._of(channel, index, record) for index, record in zip(who.tolist(), records, strict=True)]

    def due(self) -> list[tuple[str, int, bytes]]:
        """Return channel, symbol number and record of the late candles whose time has come."""
        now = self._clock.monotonic()
        due = [(channel, index, record) for at, channel, index, record in self._late if at <= now]
        self._late = [each for each in self._late if each[0] > now]
        return due

    def audible(self, who: Integers) -> Integers:
        """Return ``who`` without the symbols that are silent now."""
        if not self._silent_until:
            return who
        now = self._clock.monotonic()
        self._silent_until = {index: end for index, end in self._silent_until.items() if end > now}
        return who[~np.isin(who, list(self._silent_until))]

    def _of(self, channel: str, index: int, record: bytes) -> list[bytes]:
        struck = self._plan.strike(MarketFault, self._symbols[index])
        if struck is None:
            return [record]
        fault, rule = struck
        if fault in _TIMED:
            until = self._clock.monotonic() + rule.seconds
            self._set_aside(fault, channel, index, record=record, until=until)
            return []
        return _altered(fault, record)

    def _set_aside(
        self, fault: MarketFault, channel: str, index: int, *, record: bytes, until: float
    ) -> None:
        if fault is MarketFault.CANDLE_LATE:
            self._late.append((until, channel, index, record))
        else:
            self._silent_until[index] = until


_TIMED = frozenset({MarketFault.CANDLE_LATE, MarketFault.SYMBOL_SILENT})


def _altered(fault: MarketFault, record: bytes) -> list[bytes]:
    match fault:
        case MarketFault.CANDLE_MISSING:
            return []
        case MarketFault.CANDLE_MALFORMED:
            return [record[: len(record) // 2]]
        case MarketFault.CANDLE_TWICE:
            return [record, record]
        case MarketFault.CANDLE_REVISED:
            return [record, _changed(record, _revised)]
        case _:
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
