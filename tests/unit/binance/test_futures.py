"""What the adapter sends, and what it makes of answers, good and bad."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.clock import ManualClock
from core.errors import ExchangeRefused, ExchangeUnavailable, NotAllowed, RateLimited
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    PlaceConditional,
    QueryOrder,
    Role,
    SubmitEntry,
)
from core.signals import Side
from exchange.binance.transport import HttpRequest, HttpResponse
from tests.unit.binance.wire import NOW_MS, SECRET, Wired, parameters, refusal, reply, wired

ENTRY = SubmitEntry(
    position_id="p", client_order_id="ps-1-e1", symbol="SOLUSDT", side=Side.SHORT, quantity=Decimal("1.50")
)
CLOSE = CloseAtMarket(
    position_id="p", client_order_id="ps-1-c1", symbol="SOLUSDT", side=Side.SHORT, quantity=Decimal("2E+1")
)
STOP = PlaceConditional(
    position_id="p",
    client_order_id="ps-1-s1",
    symbol="SOLUSDT",
    side=Side.SHORT,
    role=Role.STOP,
    trigger_price=Decimal("101.10"),
)
CANCEL = CancelConditional(position_id="p", client_order_id="ps-1-s1", symbol="SOLUSDT")
QUERY = QueryOrder(position_id="p", client_order_id="ps-1-e1", symbol="SOLUSDT", role=Role.ENTRY)


def always(answer: HttpResponse) -> Callable[[HttpRequest], HttpResponse]:
    return lambda _: answer


def silent(request: HttpRequest) -> HttpResponse:
    raise ExchangeUnavailable(f"no answer to {request.method}")


def signed(request: HttpRequest) -> dict[str, str]:
    """Check the signature and return what was signed without the formalities."""
    text = request.url.partition("?")[2] or request.body or ""
    message, _, signature = text.rpartition("&signature=")
    assert signature == hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()
    assert request.headers["X-MBX-APIKEY"] == "key"
    said = parameters(request)
    assert said.pop("timestamp") == str(NOW_MS)
    assert said.pop("signature")
    assert int(said.pop("recvWindow")) <= 10_000
    return said


# --- what is sent -----------------------------------------------------------------------------------


async def test_an_entry_is_a_market_order_under_our_id() -> None:
    venue = wired(always(reply({})))
    await venue.exchange.submit(ENTRY)
    (request,) = venue.transport.requests
    assert venue.transport.asked == [("POST", "/fapi/v1/order")]
    assert signed(request) == {
        "symbol": "SOLUSDT",
        "side": "SELL",
        "type": "MARKET",
        "quantity": "1.50",
        "newClientOrderId": "ps-1-e1",
    }


async def test_a_close_can_only_reduce() -> None:
    venue = wired(always(reply({})))
    await venue.exchange.submit(CLOSE)
    said = signed(venue.transport.requests[0])
    assert (said["side"], said["quantity"], said["reduceOnly"]) == ("BUY", "20", "true")


@pytest.mark.fault(36, 57)
async def test_a_stop_closes_the_whole_position_on_the_mark_price() -> None:
    venue = wired(always(reply({})))
    await venue.exchange.place(STOP)
    assert venue.transport.asked == [("POST", "/fapi/v1/algoOrder")]
    assert signed(venue.transport.requests[0]) == {
        "algoType": "CONDITIONAL",
        "symbol": "SOLUSDT",
        "side": "BUY",
        "type": "STOP_MARKET",
        "triggerPrice": "101.10",
        "closePosition": "true",
        "workingType": "MARK_PRICE",
        "priceProtect": "true",
        "clientAlgoId": "ps-1-s1",
    }


async def test_a_symbol_already_as_wanted_is_read_and_left_alone() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            return refusal(-4059, message="No need to change position side.")
        return reply([{"symbol": "SOLUSDT", "marginType": "ISOLATED", "leverage": 5}])

    venue = wired(answer)
    assert await venue.exchange.prepare("SOLUSDT", 5) == 5
    assert await venue.exchange.prepare("SOLUSDT", 5) == 5
    assert venue.transport.asked == [
        ("POST", "/fapi/v1/positionSide/dual"),
        ("GET", "/fapi/v1/symbolConfig"),
        ("GET", "/fapi/v1/symbolConfig"),
    ]


async def test_preparing_changes_what_differs_and_reads_it_back() -> None:
    state = {"symbol": "SOLUSDT", "marginType": "CROSSED", "leverage": 20}

    def answer(request: HttpRequest) -> HttpResponse:
        said = parameters(request)
        if request.url.endswith("/marginType"):
            state["marginType"] = said["marginType"]
        if request.url.endswith("/leverage"):
            state["leverage"] = 4  # the exchange has its own mind
        return reply([state]) if request.method == "GET" else reply({})

    venue = wired(answer)
    assert await venue.exchange.prepare("SOLUSDT", 5) == 4


async def test_a_margin_mode_that_will_not_change_is_a_refusal() -> None:
    crossed = [{"symbol": "SOLUSDT", "marginType": "CROSSED", "leverage": 5}]
    venue = wired(lambda request: reply(crossed) if request.method == "GET" else refusal(-4046))
    with pytest.raises(ExchangeRefused, match="CROSSED"):
        await venue.exchange.prepare("SOLUSDT", 5)


# --- what is made of answers ------------------------------------------------------------------------


@pytest.mark.fault(4)
@pytest.mark.parametrize(
    "answer",
    [
        refusal(-1007, status=408),
        refusal(-1006, status=500),
        refusal(-1001),
        refusal(-1008, status=503),
        refusal(-4116),
        reply(b"<html>502 Bad Gateway</html>", status=502),
        reply(b"", status=504),
        reply(b'{"orderId": 12', status=200),
    ],
)
async def test_an_order_of_unknown_outcome_is_never_sent_again(answer: HttpResponse) -> None:
    for order in (ENTRY, CLOSE):
        venue = wired(always(answer))
        with pytest.raises(ExchangeUnavailable):
            await venue.exchange.submit(order)
        assert len(venue.transport.requests) == 1
    venue = wired(always(answer))
    with pytest.raises(ExchangeUnavailable):
        await venue.exchange.place(STOP)
    assert len(venue.transport.requests) == 1


@pytest.mark.parametrize("code", [-2019, -2021, -2022, -4164, -4130, -4509, -1111, -2027, -9999])
async def test_a_definite_no_keeps_its_code(code: int) -> None:
    venue = wired(always(refusal(code)))
    for attempt in (venue.exchange.submit(ENTRY), venue.exchange.place(STOP)):
        with pytest.raises(ExchangeRefused) as refused:
            await attempt
        assert refused.value.code == code


async def test_reads_are_repeated_until_the_exchange_answers() -> None:
    answers = [refusal(-1001), reply(b"<html>", status=502), reply([])]
    venue = wired(lambda _: answers.pop(0))
    assert await venue.exchange.open_conditionals() == ()
    assert len(venue.transport.requests) == 3


async def test_half_an_account_is_no_account() -> None:
    assets = [{"asset": "USDT", "walletBalance": "1", "unrealizedProfit": "0", "availableBalance": "1"}]

    def answer(request: HttpRequest) -> HttpResponse:
        return reply({"assets": assets}) if "account" in request.url else silent(request)

    with pytest.raises(ExchangeUnavailable):
        await wired(answer).exchange.account()


async def test_an_account_is_as_old_as_the_question_not_as_the_last_answer() -> None:
    clock = ManualClock(NOW_MS)
    assets = [{"asset": "USDT", "walletBalance": "1", "unrealizedProfit": "0", "availableBalance": "1"}]

    def slow(request: HttpRequest) -> HttpResponse:
        clock.advance_to(clock.market_ms() + 2_000)
        return reply({"assets": assets} if "account" in request.url else [])

    assert (await wired(slow, clock=clock).exchange.account()).at == NOW_MS


@pytest.mark.fault(13)
async def test_an_account_that_does_not_name_usdt_is_not_one_of_zero() -> None:
    venue = wired(lambda request: reply({"assets": []} if "account" in request.url else []))
    with pytest.raises(ExchangeUnavailable):
        await venue.exchange.account()


async def test_equity_counts_unrealised_profit_and_only_open_positions_show() -> None:
    assets = [
        {"asset": "BNB", "walletBalance": "9", "unrealizedProfit": "9", "availableBalance": "9"},
        {"asset": "USDT", "walletBalance": "100.5", "unrealizedProfit": "-3", "availableBalance": "50"},
    ]
    position = {"symbol": "A", "entryPrice": "2", "markPrice": "3", "liquidationPrice": "1"}
    positions = [position | {"positionAmt": "0"}, position | {"positionAmt": "-1.5"}]

    def answer(request: HttpRequest) -> HttpResponse:
        return reply({"assets": assets} if "account" in request.url else positions)

    account = await wired(answer).exchange.account()
    assert (account.wallet, account.equity, account.available) == (
        Decimal("100.5"),
        Decimal("97.5"),
        Decimal(50),
    )
    assert [each.quantity for each in account.positions] == [Decimal("-1.5")]


TRADE = {
    "id": 7,
    "orderId": 5,
    "symbol": "SOLUSDT",
    "side": "SELL",
    "price": "90",
    "qty": "1",
    "commission": "0.01",
    "commissionAsset": "USDT",
    "realizedPnl": "-1",
    "time": NOW_MS,
}
TRIGGERED = {
    "algoId": 1,
    "clientAlgoId": "ps-1-s1",
    "symbol": "SOLUSDT",
    "algoStatus": "FINISHED",
    "actualOrderId": "5",
    "actualQty": "2",
}


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("conditional", "trades", "is_whole"),
    [
        (TRIGGERED, [TRADE, TRADE | {"id": 8}], True),
        (TRIGGERED, [TRADE], False),
        (TRIGGERED | {"actualOrderId": None}, [TRADE, TRADE | {"id": 8}], False),
        (TRIGGERED | {"algoStatus": "CANCELED", "actualOrderId": "", "actualQty": ""}, [], True),
    ],
)
async def test_half_of_what_a_stop_did_is_no_answer(
    conditional: Mapping[str, object], trades: Sequence[Mapping[str, object]], is_whole: bool
) -> None:
    venue = wired(lambda request: reply(conditional if "algoOrder" in request.url else trades))
    question = replace(QUERY, client_order_id="ps-1-s1", role=Role.STOP)
    if is_whole:
        assert len(await venue.exchange.find(question)) == 1 + len(trades)
        return
    with pytest.raises(ExchangeUnavailable):
        await venue.exchange.find(question)


@pytest.mark.parametrize("code", [-2011, -2013])
async def test_what_is_not_there_needs_no_cancel_and_is_not_found(code: int) -> None:
    venue = wired(always(refusal(code)))
    await venue.exchange.cancel(CANCEL)
    assert await venue.exchange.find(QUERY) == ()


async def test_a_cancel_that_met_silence_is_repeated() -> None:
    answers = [refusal(-1007, status=408), refusal(-2011)]
    venue = wired(lambda _: answers.pop(0))
    await venue.exchange.cancel(CANCEL)
    assert venue.transport.asked == [("DELETE", "/fapi/v1/algoOrder")] * 2


# --- limits and clocks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refusal(-1003, status=429, Retry_After="7"), 7.0),
        (refusal(-1003, status=418, Retry_After="120"), 120.0),
        (refusal(-1003, status=418, message=f"IP banned until {NOW_MS + 90_000}."), 90.0),
        (reply(b"<html>firewall</html>", status=403, retry_after="30"), 30.0),
    ],
)
async def test_told_to_stay_away_we_stay_away(answer: HttpResponse, seconds: float) -> None:
    venue = wired(always(answer))
    with pytest.raises(RateLimited) as limited:
        await venue.exchange.submit(ENTRY)
    assert limited.value.retry_after == seconds
    assert venue.limiter.closed_for == seconds
    with pytest.raises(RateLimited):
        await venue.exchange.submit(CLOSE)
    assert len(venue.transport.requests) == 1, "nothing is sent inside a ban"


async def test_too_many_orders_is_no_ban_of_reads() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        return refusal(-1015, status=429) if request.method == "POST" else reply([])

    venue = wired(answer)
    with pytest.raises(RateLimited):
        await venue.exchange.submit(ENTRY)
    assert await venue.exchange.open_conditionals() == ()


async def test_the_weight_counter_of_every_reply_is_heeded() -> None:
    venue = wired(always(reply([], X_MBX_USED_WEIGHT_1M="1234")))
    await venue.exchange.open_conditionals()
    assert venue.limiter.used == 1234


@pytest.mark.fault(11)
async def test_a_skewed_clock_is_set_right_and_the_order_refused() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/time"):
            return reply({"serverTime": NOW_MS - 5_000})
        said = int(parameters(request)["timestamp"])
        return reply({}) if said == NOW_MS - 5_000 else refusal(-1021)

    venue = wired(answer)
    with pytest.raises(ExchangeRefused) as refused:
        await venue.exchange.submit(ENTRY)
    assert refused.value.code == -1021
    await venue.exchange.submit(ENTRY)


async def test_no_error_shows_a_secret_or_a_signature() -> None:
    def faults() -> list[Wired]:
        return [wired(silent), wired(always(refusal(-1022))), wired(always(reply(b"?")))]

    for venue in faults():
        with pytest.raises((ExchangeUnavailable, ExchangeRefused)) as fault:
            await venue.exchange.submit(ENTRY)
        shown = repr(fault.value) + str(fault.value)
        assert SECRET not in shown
        assert "signature" not in shown
    assert SECRET not in repr(wired(silent).api)


async def test_a_clock_measured_in_a_long_round_is_measured_again() -> None:
    clock = ManualClock(NOW_MS)
    rounds = [4_000, 20]

    def answer(_: HttpRequest) -> HttpResponse:
        exchange_ms = clock.wire_ms() - 300  # ours is 300 ms ahead
        clock.advance_to(clock.wire_ms() + rounds.pop(0))
        return reply({"serverTime": exchange_ms})

    rig = wired(answer, clock=clock)
    await rig.api.synchronise_clock()
    assert rounds == []
    assert rig.api._client().options["timeDifference"] == 310


def contract(symbol: str) -> dict[str, Any]:
    """Make an entry of exchangeInfo, with what a contract can not do without."""
    filters = [
        {"filterType": "PRICE_FILTER", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "stepSize": "0.1", "minQty": "0.1", "maxQty": "1000"},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
    ]
    terms = {"contractType": "PERPETUAL", "status": "TRADING", "quoteAsset": "USDT", "filters": filters}
    return {"symbol": symbol, **terms}


async def test_stops_wait_and_entries_are_refused_beyond_the_orders_that_the_exchange_announces() -> None:
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 4},
    ]
    info = {"symbols": [contract("SOLUSDT")], "rateLimits": limits}
    venue = wired(
        lambda request: reply(
            {} if request.method == "POST" else info if "exchangeInfo" in request.url else []
        )
    )
    await venue.exchange.instruments()
    await venue.exchange.submit(ENTRY)
    with pytest.raises(RateLimited):
        await venue.exchange.submit(ENTRY)
    await venue.exchange.place(STOP)
    await venue.exchange.submit(CLOSE)
    began = venue.clock.monotonic()
    await venue.exchange.place(STOP)
    assert venue.clock.monotonic() - began == 10
    assert sum(method == "POST" for method, _ in venue.transport.asked) == 4


async def test_contracts_know_when_their_funding_settles_and_trade_without_it() -> None:
    terms = reply([{"symbol": "ETHUSDT", "fundingIntervalHours": 4}])
    answers = [terms, *(reply(b"<html>", status=502) for _ in range(10))]
    info = {"symbols": [contract("ETHUSDT"), contract("SOLUSDT")]}

    def answer(request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/fundingInfo"):
            return answers.pop(0)
        return reply(info if "exchangeInfo" in request.url else [])

    exchange = wired(answer).exchange
    for _ in range(2):
        hours = {
            symbol: each.funding_interval_ms // 3_600_000
            for symbol, each in (await exchange.instruments()).items()
        }
        assert hours == {"ETHUSDT": 4, "SOLUSDT": 8}


@pytest.mark.fault(12)
@pytest.mark.parametrize("code", [-1022, -2014, -2015, -4061, -4400])
async def test_a_refusal_of_what_we_are_is_told_from_one_of_what_we_want(code: int) -> None:
    for refused, fault in ((code, NotAllowed), (-2019, ExchangeRefused)):
        exchange = wired(lambda _, code=refused: refusal(code)).exchange  # type: ignore[misc]
        with pytest.raises(ExchangeRefused) as told:
            await exchange.account()
        assert type(told.value) is fault
