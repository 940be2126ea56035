"""The instruments the simulator lists: Binance's own filters and brackets, resampled where they run out.

``facts/instruments.csv`` holds the ASCII USDT perpetuals of 2025-11-26 (filters; price, volume and volatility
of October 2025), ``facts/brackets.csv`` the leverage brackets of June 2025.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np

from core.errors import SettingsError
from core.instruments import Instrument, LeverageBracket
from core.rng import seeded

FACTS = Path(__file__).parent / "facts"
LARGEST_UNIVERSE = 2000
_UNIVERSE_SEED = 20251126  # the universe does not depend on the market's seed: runs stay comparable
_LIKE = 8  # a missing fact is taken from one of so many neighbours by volume


@dataclass(frozen=True, slots=True, kw_only=True)
class SimInstrument:
    """A contract and what its market is like.

    ``daily_quote_volume`` is in USDT, ``volatility_15m`` the standard deviation of 15m log returns.
    ``synthetic`` names what was drawn from other symbols: "price", "brackets" or "contract" (all of it).
    """

    contract: Instrument
    reference_price: float
    daily_quote_volume: float
    volatility_15m: float
    synthetic: frozenset[str] = frozenset()

    @property
    def symbol(self) -> str:
        return self.contract.symbol


@cache
def load_universe(count: int = 650) -> tuple[SimInstrument, ...]:
    """Return ``count`` instruments: the real ones by falling volume, then ``SIM###USDT`` resampled from them.

    Raises ``SettingsError`` when ``count`` lies outside 1 … 2,000.
    """
    if not 1 <= count <= LARGEST_UNIVERSE:
        raise SettingsError(f"the simulator lists 1 to {LARGEST_UNIVERSE} symbols, not {count}")
    listed = _read_rows("instruments.csv")
    rng = seeded(_UNIVERSE_SEED)
    known = sorted((row for row in listed if row["ref_price"]), key=_volume, reverse=True)
    real = [_instrument(row) for row in known]
    real += [_priced_like(row, _neighbour(real, None, rng)) for row in listed if not row["ref_price"]]
    complete = _with_brackets(real, _read_brackets(), rng)
    extra = [_resampled(number, complete, rng) for number in range(1, count - len(complete) + 1)]
    return (*complete, *extra)[:count]


def _read_rows(name: str) -> list[dict[str, str]]:
    with (FACTS / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _volume(row: Mapping[str, str]) -> float:
    return float(row["daily_quote_volume"])


def _instrument(row: Mapping[str, str]) -> SimInstrument:
    return SimInstrument(
        contract=_contract(row),
        reference_price=float(row["ref_price"]),
        daily_quote_volume=_volume(row),
        volatility_15m=float(row["vol_15m"]),
    )


def _contract(row: Mapping[str, str]) -> Instrument:
    return Instrument(
        symbol=row["symbol"],
        base=row["base"],
        tick_size=Decimal(row["tick"]),
        step_size=Decimal(row["step"]),
        min_quantity=Decimal(row["min_qty"]),
        max_quantity=Decimal(row["max_qty"]),
        max_market_quantity=Decimal(row["market_max_qty"]),
        min_notional=Decimal(row["min_notional"]),
        price_precision=int(row["price_precision"]),
        quantity_precision=int(row["quantity_precision"]),
        percent_up=Decimal(row["percent_up"]),
        percent_down=Decimal(row["percent_down"]),
        trigger_protect=Decimal(row["trigger_protect"]),
        market_take_bound=Decimal(row["market_take_bound"]),
        liquidation_fee=Decimal(row["liquidation_fee"]),
        onboard_ms=int(row["onboard_ms"]),
    )


def _priced_like(row: Mapping[str, str], donor: SimInstrument) -> SimInstrument:
    """Give a contract of unknown price as many ticks as ``donor`` has, so that its tick stays sensible."""
    ticks = donor.reference_price / float(donor.contract.tick_size)
    return SimInstrument(
        contract=_contract(row),
        reference_price=ticks * float(row["tick"]),
        daily_quote_volume=donor.daily_quote_volume,
        volatility_15m=donor.volatility_15m,
        synthetic=frozenset({"price"}),
    )


def _read_brackets() -> dict[str, tuple[LeverageBracket, ...]]:
    rows = groupby(_read_rows("brackets.csv"), key=lambda row: row["symbol"])
    return {symbol: tuple(_bracket(row) for row in group) for symbol, group in rows}


def _bracket(row: Mapping[str, str]) -> LeverageBracket:
    return LeverageBracket(
        floor=Decimal(row["floor"]),
        cap=Decimal(row["cap"]),
        maintenance_margin_rate=Decimal(row["maintenance_margin_rate"]),
        max_leverage=int(row["max_leverage"]),
        cum=Decimal(row["cum"]),
    )


def _with_brackets(
    instruments: Iterable[SimInstrument],
    brackets: Mapping[str, tuple[LeverageBracket, ...]],
    rng: np.random.Generator,
) -> list[SimInstrument]:
    listed = list(instruments)
    donors = [each for each in listed if each.symbol in brackets]

    def complete(each: SimInstrument) -> SimInstrument:
        if each.symbol in brackets:
            return replace(each, contract=each.contract.with_brackets(brackets[each.symbol]))
        borrowed = brackets[_neighbour(donors, each.daily_quote_volume, rng).symbol]
        contract = each.contract.with_brackets(borrowed)
        return replace(each, contract=contract, synthetic=each.synthetic | {"brackets"})

    return [complete(each) for each in listed]


def _resampled(number: int, real: Sequence[SimInstrument], rng: np.random.Generator) -> SimInstrument:
    donor = _neighbour(real, None, rng)
    name = f"SIM{number:03d}"
    contract = replace(donor.contract, symbol=f"{name}USDT", base=name)
    return replace(donor, contract=contract, synthetic=frozenset({"contract"}))


def _neighbour(
    donors: Sequence[SimInstrument], volume: float | None, rng: np.random.Generator
) -> SimInstrument:
    """Draw one of the donors nearest to ``volume``; without a volume, any but the forty giants."""
    if volume is None:
        return donors[int(rng.integers(min(40, len(donors) // 2), len(donors)))]
    nearest = sorted(donors, key=lambda each: abs(each.daily_quote_volume / volume - 1))[:_LIKE]
    return nearest[int(rng.integers(len(nearest)))]
