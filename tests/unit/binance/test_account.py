"""An account put together from what could be read of it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from core.errors import ExchangeUnavailable
from core.orders import AccountRead
from exchange.binance.account import AccountReply, account_read
from tests.unit.binance.wire import NOW_MS

ASSET = {
    "asset": "USDT",
    "walletBalance": "100",
    "unrealizedProfit": "-1",
    "availableBalance": "90",
    "updateTime": 5,
}


def position(symbol: str | None, **changes: Any) -> dict[str, Any]:
    told = {
        "symbol": symbol,
        "positionAmt": "2",
        "entryPrice": "10",
        "markPrice": "11",
        "liquidationPrice": "1",
        "updateTime": 7,
    }
    return {name: value for name, value in {**told, **changes}.items() if value is not ...}


def read(*positions: dict[str, Any], assets: list[dict[str, Any]] | None = None) -> AccountRead:
    account = msgspec.convert({"assets": assets or [ASSET]}, AccountReply, strict=False)
    rows = [msgspec.Raw(msgspec.json.encode(each)) for each in positions]
    return account_read(account, rows, at=NOW_MS)


def test_equity_is_the_wallet_with_what_is_open() -> None:
    account = read(position("ETHUSDT"))
    assert (account.wallet, account.equity, account.available) == (Decimal(100), Decimal(99), Decimal(90))
    assert [each.symbol for each in account.positions] == ["ETHUSDT"]


def test_it_is_as_new_as_the_newest_change_it_knows_of() -> None:
    assert read().updated_at == 5
    assert read(position("ETHUSDT")).updated_at == 7


@pytest.mark.fault(13)
@pytest.mark.parametrize("spoilt", [{"positionAmt": ...}, {"positionAmt": None}, {"entryPrice": "ten"}])
def test_a_position_that_can_not_be_read_is_neither_flat_nor_in_the_others_way(spoilt: Any) -> None:
    account = read(position("ETHUSDT"), position("SOLUSDT", **spoilt))
    assert [each.symbol for each in account.positions] == ["ETHUSDT"]
    assert account.may_hold("SOLUSDT")
    assert not account.may_hold("BTCUSDT")


@pytest.mark.fault(13)
def test_a_position_without_a_name_may_be_any() -> None:
    account = read(position("ETHUSDT"), position(None))
    assert account.may_hold("BTCUSDT")


@pytest.mark.fault(13)
@pytest.mark.parametrize("amount", ["0", 0, "0.000"])
def test_an_amount_of_zero_in_any_spelling_is_flat(amount: Any) -> None:
    account = read(position("ETHUSDT", positionAmt=amount))
    assert account.positions == ()
    assert not account.may_hold("ETHUSDT")


def test_a_balance_that_is_not_told_is_no_balance_of_zero() -> None:
    with pytest.raises(ExchangeUnavailable):
        read(assets=[{**ASSET, "asset": "BNB"}])
