"""Which markets may be entered; a bound that can not be checked is not kept."""

from dataclasses import replace

import numpy as np
import pytest

from core.instruments import Instrument, InstrumentStatus
from core.market import MarketContext
from core.parameters import UniverseParameters
from core.symbols import SymbolContext, is_in_universe, market_objections
from core.verdicts import Reason
from tests.builders import DAY, T0, instrument, symbol_context

PARAMETERS = UniverseParameters()
NAN = float("nan")


def objections(context: SymbolContext) -> list[Reason]:
    return list(market_objections(context, at=T0, parameters=PARAMETERS))


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (symbol_context(), []),
        (symbol_context(spread=0.0005), []),
        (symbol_context(spread=0.000501), [Reason.SPREAD]),
        (symbol_context(spread=NAN), [Reason.SPREAD]),
        (symbol_context(quote_volume_24h=5e6), []),
        (symbol_context(quote_volume_24h=4.99e6), [Reason.VOLUME]),
        (symbol_context(quote_volume_24h=NAN), [Reason.VOLUME]),
        (symbol_context(contract=instrument(trigger_protect="0.01")), []),
        (symbol_context(contract=instrument(trigger_protect="0.0005")), [Reason.TRIGGER_PROTECT]),
        (symbol_context("SOLUSDC"), [Reason.NOT_IN_UNIVERSE]),
    ],
)
def test_a_market_keeps_its_bounds(context: SymbolContext, expected: list[Reason]) -> None:
    assert objections(context) == expected


@pytest.mark.fault(60)
@pytest.mark.parametrize(
    "stranger",
    [
        instrument("SOLUSDC"),
        instrument("币安人生USDT"),
        replace(instrument(), contract_type="TRADIFI_PERPETUAL"),
        replace(instrument(), contract_type="CURRENT_QUARTER"),
        replace(instrument(), delivery_ms=T0 + DAY),
        *(instrument(status=each) for each in InstrumentStatus if each is not InstrumentStatus.TRADING),
    ],
)
def test_strangers_are_not_traded(stranger: Instrument) -> None:
    assert is_in_universe(instrument(), at=T0, parameters=PARAMETERS)
    assert not is_in_universe(stranger, at=T0, parameters=PARAMETERS)


def test_a_symbol_takes_its_own_column_of_the_market() -> None:
    market = MarketContext(
        bid=np.array([1.0, 99.0]),
        ask=np.array([1.1, 101.0]),
        mark=np.array([1.0, 100.0]),
        funding_rate=np.array([0.1, 0.0002]),
        quote_volume_24h=np.array([1.0, 7e6]),
    )
    context = SymbolContext.of(instrument(), market, column=1, gapped=True)
    assert (context.spread, context.funding_rate, context.quote_volume_24h) == (0.02, 0.0002, 7e6)
    assert context.gapped


def test_what_the_market_does_not_know_stays_unknown() -> None:
    context = SymbolContext.of(instrument(), MarketContext.unknown(1), column=0)
    assert np.isnan([context.spread, context.funding_rate, context.quote_volume_24h]).all()
    assert context.spread_at_worst(PARAMETERS) == PARAMETERS.max_spread
