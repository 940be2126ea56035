"""The exchange's records of what moved the wallet, out of /fapi/v1/income."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from core.income import Income, IncomeKind
from core.market import DAY_MS
from exchange.binance.account import SETTLED_IN

log = logging.getLogger(__name__)

PAGE = 1000
WINDOW_MS = 7 * DAY_MS - 1
MEMORY_MS = 89 * DAY_MS
"""Binance forgets after three months; what is older is nobody's to ask for."""

_TRADING = frozenset(
    {"REALIZED_PNL", "COMMISSION", "INSURANCE_CLEAR", "DELIVERED_SETTELMENT", "FEE_RETURN"}
    | {"COMMISSION_REBATE", "API_REBATE", "REFERRAL_KICKBACK", "POSITION_LIMIT_INCREASE_FEE"}
)

Ask = Callable[[Mapping[str, str | int | bool]], Awaitable[Sequence[msgspec.Raw]]]


class IncomeReply(msgspec.Struct, rename="camel"):
    """One element of the reply; ``tran_id`` is unique within its type only."""

    income_type: str
    income: Decimal
    asset: str
    time: int
    tran_id: int | str
    symbol: str = ""
    trade_id: int | str = ""


async def incomes_since(ask: Ask, since: int, *, now: int) -> Sequence[Income]:
    """Ask window by window and page by page, because rows of one moment must not be cut in two."""
    start, found = max(since, now - MEMORY_MS), list[Income]()
    while start <= now:
        window = {"startTime": start, "endTime": start + WINDOW_MS, "limit": PAGE}
        async for rows in _pages(ask, window):
            found.extend(_incomes(rows))
        start += WINDOW_MS + 1
    return tuple(found)


async def _pages(ask: Ask, window: Mapping[str, int]) -> AsyncIterator[Sequence[msgspec.Raw]]:
    page, rows = 0, [msgspec.Raw()] * PAGE
    while len(rows) >= PAGE:
        page += 1
        rows = list(await ask({**window, "page": page}))
        yield rows


def _incomes(rows: Iterable[msgspec.Raw]) -> Iterator[Income]:
    """Translate what can be read; a row that can not is missed when the wallet is accounted for."""
    for row in rows:
        try:
            reply = msgspec.json.decode(row, type=IncomeReply, strict=False)
        except msgspec.DecodeError as fault:
            log.warning("a record of income that can not be read: %s", fault)
            continue
        if reply.asset == SETTLED_IN:
            yield _income(reply)


def _income(reply: IncomeReply) -> Income:
    return Income(
        income_id=f"{reply.income_type}:{reply.tran_id}:{reply.symbol}:{reply.trade_id}".rstrip(":"),
        kind=_kind(reply.income_type),
        symbol=reply.symbol,
        amount=reply.income,
        at=reply.time,
    )


def _kind(wire: str) -> IncomeKind:
    if wire == "FUNDING_FEE":
        return IncomeKind.FUNDING
    return IncomeKind.TRADE if wire in _TRADING else IncomeKind.TRANSFER
