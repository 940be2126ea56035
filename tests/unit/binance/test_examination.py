"""What a key may do, read strictly: a field that is not told is not taken for harmless."""

import pytest

from core.clock import ManualClock
from core.errors import ExchangeUnavailable
from core.rng import seeded
from exchange.binance.examination import BinanceExamination
from tests.unit.binance.wire import NOW_MS, reply, wired

HARMLESS = {
    "ipRestrict": True,
    "enableFutures": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "permitsUniversalTransfer": False,
}


def examination(told: object) -> BinanceExamination:
    clock = ManualClock(NOW_MS)
    api = wired(lambda _: reply(told), clock=clock).api
    return BinanceExamination(api, clock=clock, rng=seeded(1), has_wallet=True)


async def test_all_five_rights_are_read() -> None:
    rights = await examination({**HARMLESS, "enableReading": True, "createTime": 1}).rights()
    assert rights is not None
    assert (rights.withdraws, rights.transfers) == (False, False)
    assert (rights.trades_futures, rights.is_bound_to_addresses) == (True, True)


@pytest.mark.fault(66)
@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("value", ["absent", None, "perhaps", []])
async def test_a_right_that_is_not_told_plainly_is_no_answer(name: str, value: object) -> None:
    told: dict[str, object] = {**HARMLESS, name: value}
    if value == "absent":
        del told[name]
    with pytest.raises(ExchangeUnavailable):
        await examination(told).rights()
