"""The rules of size, held against the filters and brackets of every contract Binance lists."""

from decimal import Decimal

import pytest

from core.instruments import Instrument
from core.leverage import liquidation_distance
from core.parameters import Parameters
from core.signals import Side
from core.sizing import Size, size
from core.verdicts import Reason, Refused
from exchange.sim.universe import load_universe
from tests.builders import candidate, symbol_context

PARAMETERS = Parameters()
LISTED = [(each.contract, each.reference_price) for each in load_universe(512)]


def sized(contract: Instrument, price: float, *, side: Side, equity: int) -> Size | Refused:
    """Size a middling signal with the median stop of the recorded candles."""
    return size(
        candidate(contract.symbol, side=side, price=price, stop_distance=0.0058, confidence=85.0),
        symbol_context(contract=contract),
        equity=Decimal(equity),
        leverage=20,
        parameters=PARAMETERS,
    )


@pytest.mark.parametrize("side", Side)
def test_ten_thousand_usdt_can_trade_every_contract_within_all_limits(side: Side) -> None:
    for contract, price in LISTED:
        result = sized(contract, price, side=side, equity=10_000)
        assert isinstance(result, Size), contract.symbol
        distance = liquidation_distance(contract, side, leverage=result.leverage, notional=result.notional)
        assert distance >= 2 * result.prices.stop_distance
        assert result.loss_at_stop <= 200
        assert result.margin <= 800
        assert result.notional <= contract.max_notional(result.leverage)


def test_a_large_account_meets_the_brackets_of_small_contracts_before_it_breaks_them() -> None:
    verdicts = [sized(contract, price, side=Side.LONG, equity=5_000_000) for contract, price in LISTED]
    refused = [each.reasons for each in verdicts if isinstance(each, Refused)]
    assert 0 < len(refused) < len(LISTED)
    assert {each[0] for each in refused} == {Reason.BRACKET}


def test_a_small_account_is_refused_rather_than_enlarged() -> None:
    verdicts = [sized(contract, price, side=Side.LONG, equity=10) for contract, price in LISTED]
    refused = [each.reasons for each in verdicts if isinstance(each, Refused)]
    assert set(refused) == {(Reason.BELOW_MINIMUM,)}


@pytest.mark.fault(59)
def test_a_contract_of_a_thousand_coins_is_sized_in_contracts_under_its_own_name() -> None:
    thousands = [(contract, price) for contract, price in LISTED if contract.symbol.startswith("1000")]
    assert len(thousands) > 5
    for contract, price in thousands:
        result = sized(contract, price, side=Side.LONG, equity=10_000)
        assert isinstance(result, Size), contract.symbol
        assert float(result.prices.entry) == pytest.approx(price, rel=0.01)
        assert 200 < result.notional < 20_000, "neither a thousandth nor a thousand times of it"
        assert contract.round_quantity(result.quantity) == result.quantity
