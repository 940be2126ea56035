"""How the exchange's list of contracts differs from what we follow: who came, who is leaving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.instruments import Instrument, InstrumentStatus
from core.market import QUARTER_MS
from core.parameters import UniverseParameters
from core.symbols import is_in_universe

HISTORY_MS = 1400 * QUARTER_MS
"""How long a contract must have traded before its indicators are grown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRefreshed:
    """The exchange's contracts at ``at`` (ms).

    ``instruments`` has every symbol we follow, one that the exchange no longer lists as closed. ``listed``
    trade and have history enough, but are not followed; ``leaving`` are followed, and no longer trade or
    are about to be delivered.
    """

    at: int
    instruments: Mapping[str, Instrument]
    listed: tuple[str, ...]
    leaving: tuple[str, ...]


def compare(
    followed: Sequence[str],
    before: Mapping[str, Instrument],
    now: Mapping[str, Instrument],
    *,
    at: int,
    parameters: UniverseParameters,
) -> UniverseRefreshed:
    """Hold the exchange's contracts against those we follow and what we knew of them."""
    known = {symbol: _kept(before[symbol], now.get(symbol)) for symbol in followed}
    listed = (
        symbol
        for symbol, contract in now.items()
        if symbol not in known
        and is_in_universe(contract, at=at, parameters=parameters)
        and contract.onboard_ms + HISTORY_MS <= at
    )
    leaving = (
        symbol
        for symbol, contract in known.items()
        if not is_in_universe(contract, at=at, parameters=parameters)
    )
    return UniverseRefreshed(
        at=at, instruments={**now, **known}, listed=tuple(sorted(listed)), leaving=tuple(sorted(leaving))
    )


def _kept(before: Instrument, now: Instrument | None) -> Instrument:
    """Take what is told now; what is told no longer is closed, and brackets are only replaced by brackets."""
    if now is None:
        return replace(before, status=InstrumentStatus.CLOSED)
    return now if now.brackets else now.with_brackets(before.brackets)
