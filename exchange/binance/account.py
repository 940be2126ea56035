"""Balance and positions out of /fapi/v3/account and /fapi/v3/positionRisk."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from core.errors import ExchangeUnavailable
from core.orders import AccountRead, HeldPosition
from exchange.binance.quarantine import sort_out

SETTLED_IN = "USDT"


class _Asset(msgspec.Struct, rename="camel"):
    asset: str
    wallet_balance: Decimal
    unrealized_profit: Decimal
    available_balance: Decimal
    update_time: int = 0


class AccountReply(msgspec.Struct):
    """Reply of /fapi/v3/account, as far as we read it."""

    assets: list[_Asset]


class PositionReply(msgspec.Struct, rename="camel"):
    """One element of the reply of /fapi/v3/positionRisk; the leverage follows from its initial margin."""

    symbol: str
    position_amt: Decimal
    entry_price: Decimal
    mark_price: Decimal
    liquidation_price: Decimal
    position_initial_margin: Decimal = Decimal(0)
    update_time: int = 0


class SymbolConfig(msgspec.Struct, rename="camel"):
    """One element of the reply of /fapi/v1/symbolConfig: margin mode and leverage in force."""

    symbol: str
    margin_type: str
    leverage: int


def account_read(account: AccountReply, positions: Sequence[msgspec.Raw], *, at: int) -> AccountRead:
    """Put both replies together; a position that can not be read is named as such, never left out.

    Raises ``ExchangeUnavailable`` when USDT is not among the assets: that is not a balance of zero.
    """
    asset = next((each for each in account.assets if each.asset == SETTLED_IN), None)
    if asset is None:
        raise ExchangeUnavailable(f"the account read does not tell the balance of {SETTLED_IN}")
    told = sort_out(positions, PositionReply)
    return AccountRead(
        wallet=asset.wallet_balance,
        equity=asset.wallet_balance + asset.unrealized_profit,
        available=asset.available_balance,
        positions=tuple(_held(each) for each in told.read if each.position_amt),
        at=at,
        updated_at=max([asset.update_time, *(each.update_time for each in told.read)]),
        unreadable=told.unreadable,
        is_torn=told.nameless > 0,
    )


def _held(position: PositionReply) -> HeldPosition:
    return HeldPosition(
        symbol=position.symbol,
        quantity=position.position_amt,
        entry_price=position.entry_price,
        mark_price=position.mark_price,
        liquidation_price=position.liquidation_price,
        leverage=_leverage(position),
        updated_at=position.update_time,
    )


def _leverage(position: PositionReply) -> int:
    """Return notional ÷ initial margin, 0 where the margin is not told."""
    if not position.position_initial_margin:
        return 0
    notional = abs(position.position_amt) * position.mark_price
    return round(notional / position.position_initial_margin)
