"""The wallet's records, page by page and window by window."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from core.income import Income, IncomeKind
from core.market import DAY_MS
from exchange.binance.income import MEMORY_MS, PAGE, incomes_since
from tests.unit.binance.wire import NOW_MS


def row(number: int, *, kind: str = "TRANSFER", at: int = NOW_MS, **changes: Any) -> dict[str, Any]:
    told = {"incomeType": kind, "income": "1.5", "asset": "USDT", "time": at, "tranId": number, "symbol": ""}
    return {name: value for name, value in {**told, **changes}.items() if value is not ...}


class Venue:
    """Answers as Binance does: seven days at most, so many rows a page, the oldest first."""

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self._rows = sorted(rows, key=lambda each: each["time"])
        self.asked: list[Mapping[str, Any]] = []

    async def ask(self, parameters: Mapping[str, Any]) -> Sequence[msgspec.Raw]:
        self.asked.append(parameters)
        start, end, page = parameters["startTime"], parameters["endTime"], parameters["page"]
        assert end - start < 7 * DAY_MS
        assert start >= NOW_MS - 90 * DAY_MS
        found = [each for each in self._rows if start <= each["time"] <= end]
        return [msgspec.Raw(msgspec.json.encode(each)) for each in found[(page - 1) * PAGE : page * PAGE]]

    async def since(self, since: int) -> Sequence[Income]:
        return await incomes_since(self.ask, since, now=NOW_MS)


async def test_more_rows_of_one_moment_than_fit_on_a_page_all_come() -> None:
    venue = Venue(*(row(number) for number in range(2 * PAGE + 1)))
    found = await venue.since(NOW_MS - 1000)
    assert len({each.income_id for each in found}) == 2 * PAGE + 1
    assert len(venue.asked) == 3


@pytest.mark.fault(18)
async def test_a_long_downtime_is_asked_for_week_by_week_as_far_as_the_exchange_remembers() -> None:
    old, older = row(1, at=NOW_MS - 60 * DAY_MS), row(2, at=NOW_MS - 200 * DAY_MS)
    venue = Venue(old, older, row(3))
    found = await venue.since(NOW_MS - 300 * DAY_MS)
    assert [each.income_id for each in found] == ["TRANSFER:1", "TRANSFER:3"]
    assert venue.asked[0]["startTime"] == NOW_MS - MEMORY_MS
    windows = [(each["startTime"], each["endTime"]) for each in venue.asked]
    assert all(next_one[0] == this[1] + 1 for this, next_one in pairwise(windows))


@pytest.mark.fault(13)
@pytest.mark.parametrize("spoilt", [{"income": "much"}, {"tranId": ...}, {"time": None}])
async def test_a_row_that_can_not_be_read_costs_no_other(spoilt: Mapping[str, Any]) -> None:
    class Spoilt(Venue):
        async def ask(self, parameters: Mapping[str, Any]) -> Sequence[msgspec.Raw]:
            return [msgspec.Raw(msgspec.json.encode(each)) for each in (row(1, **spoilt), row(2))]

    assert [each.income_id for each in await Spoilt().since(NOW_MS)] == ["TRANSFER:2"]


async def test_ids_are_unique_in_their_type_only() -> None:
    venue = Venue(
        row(1, kind="REALIZED_PNL", symbol="ETHUSDT", tradeId="7"),
        row(1, kind="COMMISSION", symbol="ETHUSDT", tradeId="7"),
        row(1, kind="FUNDING_FEE", symbol="ETHUSDT"),
    )
    assert len({each.income_id for each in await venue.since(NOW_MS)}) == 3


async def test_what_no_trading_explains_is_money_that_came_or_went() -> None:
    kinds = dict.fromkeys(("REALIZED_PNL", "COMMISSION", "INSURANCE_CLEAR"), IncomeKind.TRADE)
    kinds |= {"FUNDING_FEE": IncomeKind.FUNDING}
    kinds |= dict.fromkeys(("TRANSFER", "WELCOME_BONUS", "AUTO_EXCHANGE", "NEW_SINCE"), IncomeKind.TRANSFER)
    venue = Venue(*(row(number, kind=kind) for number, kind in enumerate(kinds)))
    found = await venue.since(NOW_MS)
    assert {each.income_id.partition(":")[0]: each.kind for each in found} == kinds


async def test_only_what_is_settled_in_usdt_is_in_the_wallet() -> None:
    venue = Venue(row(1, asset="BNB"), row(2))
    (one,) = await venue.since(NOW_MS)
    assert (one.income_id, one.amount, one.at) == ("TRANSFER:2", Decimal("1.5"), NOW_MS)
