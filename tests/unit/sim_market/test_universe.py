"""What the simulator lists."""

import pytest

from core.errors import SettingsError
from exchange.sim.universe import load_universe


def test_six_hundred_and_fifty_symbols_all_with_brackets_and_sane_ticks() -> None:
    universe = load_universe()
    assert len({each.symbol for each in universe}) == 650
    assert all(each.contract.brackets and each.symbol.isascii() for each in universe)
    assert all(each.reference_price / float(each.contract.tick_size) > 50 for each in universe)


def test_the_most_liquid_come_first_and_what_was_invented_says_so() -> None:
    universe = load_universe()
    assert {each.symbol for each in load_universe(2)} == {"BTCUSDT", "ETHUSDT"}
    assert load_universe(30) == universe[:30]
    invented = [each for each in universe if each.symbol.startswith("SIM")]
    assert len(invented) == 138
    assert all(each.synthetic == {"contract"} for each in invented)


def test_an_absurd_number_of_symbols_is_refused() -> None:
    with pytest.raises(SettingsError):
        load_universe(0)
