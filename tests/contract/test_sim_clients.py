"""The calls that docs/simulator.md promises, made by the real clients one after the other."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import ccxt.async_support as ccxt
import pytest

from exchange.sim.server.faults.catalogue import ALL
from tests.contract.sim_clients import binance_client, ccxt_client, pass_minutes, running
from tests.contract.supported_calls import BTC, CCXT, LIQUIDATIONS, PYTHON_BINANCE, WATCHED, Step

pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")

DOCS = Path(__file__).parents[2] / "docs" / "simulator.md"


async def failures_of(client: Any, calls: Mapping[str, Step]) -> dict[str, str]:
    notes: dict[str, Any] = {}
    failures: dict[str, str] = {}
    for name, call in calls.items():
        try:
            answer = await call(client, notes)
        except Exception as error:  # noqa: BLE001 - the point is to hear of every one
            failures[name] = f"{type(error).__name__}: {error}"
            continue
        if answer is None:
            failures[name] = "no answer"
    return failures


async def test_every_promised_call_of_ccxt_is_answered() -> None:
    async with running() as (simulator, announced), ccxt_client(announced) as client:
        pass_minutes(simulator, 1)
        assert await failures_of(client, CCXT) == {}


async def test_every_promised_call_of_python_binance_is_answered() -> None:
    async with running() as (simulator, announced), binance_client(announced) as client:
        pass_minutes(simulator, 1)
        assert await failures_of(client, PYTHON_BINANCE) == {}


@pytest.mark.parametrize("name", WATCHED)
async def test_every_promised_watch_of_ccxt_hears_something(name: str) -> None:
    async with (
        running(speed=60.0, minutes=None) as (_, announced),
        ccxt_client(announced, pro=True) as client,
    ):
        await client.load_markets()
        heard: asyncio.Future[Any] = asyncio.ensure_future(WATCHED[name](client))
        while not heard.done():
            await client.create_order(BTC, "market", "buy", 0.01)
            await asyncio.wait([heard], timeout=0.5)
        assert heard.result() is not None


@pytest.mark.parametrize("name", LIQUIDATIONS)
async def test_every_promised_watch_of_ccxt_hears_of_a_liquidation(name: str) -> None:
    async with running() as (simulator, announced), ccxt_client(announced, pro=True) as client:
        await client.load_markets()
        await client.set_margin_mode("isolated", BTC)
        await client.set_leverage(125, BTC)
        await client.create_order(BTC, "market", "buy", 0.01)
        news = asyncio.ensure_future(LIQUIDATIONS[name](client))
        while not any(each.names or each.listen_keys for each in simulator.hub.connections):
            await client.fetch_time()
        simulator.market.spike(simulator.market.index_of["BTCUSDT"], 0.7)
        pass_minutes(simulator, 1)
        (liquidation, *_) = await news
        assert (liquidation["symbol"], liquidation["contracts"]) == (BTC, 0.01)


@pytest.mark.parametrize(
    ("heading", "calls"),
    [("ccxt", CCXT), ("python-binance", PYTHON_BINANCE), ("ccxt.pro", WATCHED | LIQUIDATIONS)],
)
def test_the_docs_promise_exactly_these_calls(heading: str, calls: Mapping[str, object]) -> None:
    section = DOCS.read_text(encoding="utf-8").split(f"### {heading}\n")[1].split("\n#")[0]
    assert re.findall(r"`([^`]+)`", section) == list(calls)


@pytest.mark.parametrize("call", ["fetch_open_interest_history", "fetch_long_short_ratio_history"])
async def test_what_is_not_supported_is_refused_and_never_made_up(call: str) -> None:
    async with running() as (_, announced), ccxt_client(announced) as client:
        with pytest.raises(ccxt.BaseError, match="-5000"):
            await getattr(client, call)("BTC/USDT:USDT", "5m")


async def test_every_other_futures_call_of_python_binance_is_refused_by_binances_own_error() -> None:
    from binance.exceptions import BinanceAPIException

    async with running() as (_, announced), binance_client(announced) as client:
        answered: dict[str, Any] = {}
        for name in sorted(futures_calls_of(client) - promised(PYTHON_BINANCE) - NOT_CALLED):
            try:
                answered[name] = await getattr(client, name)()
            except BinanceAPIException as refusal:
                if refusal.code != -5000:
                    answered[name] = refusal
        assert answered == {}


async def test_every_futures_call_of_ccxt_is_promised_or_named_as_refused() -> None:
    async with running() as (_, announced), ccxt_client(announced, pro=True) as client:
        offered = {snake(name) for name, is_there in client.has.items() if is_there}
    known = (
        promised(CCXT)
        | promised(WATCHED)
        | promised(LIQUIDATIONS)
        | NO_CALLS
        | OTHER_MARKETS
        | BROKEN_IN_CCXT
    )
    assert {each for each in offered - known if not each.endswith("_ws")} == NOT_ANSWERED
    section = DOCS.read_text(encoding="utf-8").split("### Refused\n")[1].split("\n#")[0]
    assert {name for name in re.findall(r"`([a-z_]+)`", section) if name in offered} == NOT_ANSWERED


def promised(calls: Mapping[str, object]) -> set[str]:
    return {name.split(" ")[0] for name in calls}


def futures_calls_of(client: Any) -> set[str]:
    return {name for name in dir(client) if re.match("futures_(?!coin)", name)}


def snake(name: str) -> str:
    """Return the method's name: fetchOHLCV is fetch_ohlcv, fetchADLRank is fetch_adl_rank."""
    words = re.sub(r"(OHLCV|ADL|L2)", lambda found: found[1].title(), name)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", words).lower()


NOT_CALLED = {
    "futures_historical_klines_generator",  # an iterator over futures_historical_klines
    "futures_v1_put_batch_orders",  # it signs its list as it is and sends it encoded: no server can accept it
}

BROKEN_IN_CCXT = {
    *("watch_my_liquidations", "watch_my_liquidations_for_symbols"),  # KeyError at the ACCOUNT_UPDATE
    "watch_orders_for_symbols",  # NotSupported
    "fetch_funding_interval",  # NullResponse where the interval is eight hours
}
"""Calls that ccxt 4.5.90 names and that fail inside ccxt itself, at Binance as here."""

NO_CALLS = {"ws", "future", "sandbox", "swap", "private_api", "public_api", "private_a_p_i", "public_a_p_i"}

NOT_ANSWERED = {
    "fetch_long_short_ratio_history",
    "fetch_open_interest_history",
    "transfer",
    "fetch_transfers",
}

OTHER_MARKETS = {
    *("borrow_cross_margin", "borrow_isolated_margin", "repay_cross_margin", "repay_isolated_margin"),
    *("fetch_borrow_interest", "fetch_borrow_rate_history", "fetch_cross_borrow_rate"),
    *("fetch_isolated_borrow_rate", "fetch_isolated_borrow_rates"),
    *("create_convert_trade", "fetch_convert_currencies", "fetch_convert_quote"),
    *("fetch_convert_trade", "fetch_convert_trade_history"),
    *("create_market_buy_order_with_cost", "create_market_order_with_cost"),
    *("create_market_sell_order_with_cost", "fetch_order_trades"),
    *("fetch_all_greeks", "fetch_greeks", "fetch_option", "fetch_position"),
    *("fetch_my_settlement_history", "fetch_settlement_history"),
    *("fetch_currencies", "fetch_deposit_address", "fetch_deposit_withdraw_fee"),
    *("fetch_deposit_withdraw_fees", "fetch_deposits", "fetch_ledger_entry"),
    *("fetch_transaction_fee", "fetch_transaction_fees", "fetch_withdrawals", "withdraw"),
}
"""Calls of ccxt that are about wallets, loans, conversions, spot or options, and not about futures."""


async def test_python_binance_reads_candles_from_its_socket() -> None:
    from binance import BinanceSocketManager

    async with running(speed=240.0, minutes=None) as (_, announced), binance_client(announced) as client:
        manager = BinanceSocketManager(client)
        manager.FSTREAM_URL = f"{announced.ws}/"
        async with manager.futures_multiplex_socket(["btcusdt@kline_1m"]) as stream:
            message = await stream.recv()
            assert message["stream"] == "btcusdt@kline_1m"
            assert message["data"]["k"]["s"] == "BTCUSDT"
        async with manager.futures_user_socket() as stream:
            await client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
            assert (await stream.recv())["e"] in {"ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE"}


async def test_an_ed25519_account_signs_with_its_own_key() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pair = Ed25519PrivateKey.generate()
    private = pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = pair.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    async with running() as (_, announced), ccxt_client(announced) as client:
        wish = {"deposit": "500", "publicKey": public.decode()}
        async with aiohttp.request("POST", f"{announced.rest}/sim/v1/accounts", data=wish) as answer:
            opened = await answer.json()
        keys = {"apiKey": opened["api_key"], "secret": private}
        async with ccxt_client(announced, keys=keys) as second:
            assert (await second.fetch_balance())["USDT"]["total"] == 500
        assert (await client.fetch_balance())["USDT"]["total"] == 10_000


def test_the_docs_name_every_fault() -> None:
    section = DOCS.read_text(encoding="utf-8").split("## Faults\n")[1].split("\n## ")[0]
    section = section.split("Row by row")[0]
    rows = re.findall(r"^\|[^|]+\|([^|]+)\|$", section, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(ALL)
