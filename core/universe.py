"""How the exchange's list of contracts differs from what we follow: who came, who is leaving."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from core.instruments import Instrument, InstrumentStatus
from core.parameters import UniverseParameters
from core.symbols import is_in_universe


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRefreshed:
    """The exchange's contracts at ``at`` (ms).

    ``instruments`` has every symbol we follow, one that the exchange no longer lists as closed. Those of
    ``tradable`` may be entered. ``listed`` are among them and not followed yet; ``leaving`` are followed,
    and no longer trade or are about to be delivered.
    """

    at: int
    instruments: Mapping[str, Instrument]
    tradable: frozenset[str]
    listed: tuple[str, ...]
    leaving: tuple[str, ...]


def tradable(
    instruments: Mapping[str, Instrument],
    *,
    at: int,
    parameters: UniverseParameters,
    blacklist: Collection[str] = (),
) -> frozenset[str]:
    """Return the contracts that may be entered at ``at`` (ms); nobody wants those on the ``blacklist``."""
    return frozenset(
        symbol
        for symbol, contract in instruments.items()
        if symbol not in blacklist and is_in_universe(contract, at=at, parameters=parameters)
    )


def compare(
    followed: Sequence[str],
    before: Mapping[str, Instrument],
    now: Mapping[str, Instrument],
    *,
    at: int,
    parameters: UniverseParameters,
    blacklist: Collection[str] = (),
) -> UniverseRefreshed:
    """Hold the exchange's contracts against those we follow and what we knew of them."""
    known = {symbol: _kept(before[symbol], now.get(symbol)) for symbol in followed}
    instruments = {**now, **known}
    ours = tradable(instruments, at=at, parameters=parameters, blacklist=blacklist)
    return UniverseRefreshed(
        at=at,
        instruments=instruments,
        tradable=ours,
        listed=tuple(sorted(ours - known.keys())),
        leaving=tuple(sorted(known.keys() - ours)),
    )


def _kept(before: Instrument, now: Instrument | None) -> Instrument:
    """Take what is told now; what is told no longer is closed, and brackets are only replaced by brackets."""
    if now is None:
        return replace(before, status=InstrumentStatus.CLOSED)
    return now if now.brackets else now.with_brackets(before.brackets)
