"""Nothing a client can send brings the simulator down, and every refusal is one of Binance's."""

import hashlib
import hmac
import io
import re
from urllib.parse import urlencode

import aiohttp
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.sim.process import Simulator
from exchange.sim.server.rest import Call
from exchange.sim.trading_api import ROUTES
from tests.contract.sim_clients import PATIENCE, ccxt_client, running


def words(text: str) -> list[str]:
    return re.findall(r"\S+", text)


NAMES = words(
    "symbol side type quantity price triggerPrice stopPrice closePosition reduceOnly timeInForce leverage "
    "marginType positionSide orderId algoId origClientOrderId newClientOrderId clientAlgoId workingType "
    "priceProtect callbackRate activatePrice limit startTime endTime fromId interval incomeType amount "
    "batchOrders orderIdList origClientOrderIdList countdownTime algoType goodTillDate dualSidePosition "
    "newOrderRespType selfTradePreventionMode priceMatch pair contractType page recvWindow algoStatus"
)
TYPES = words("LIMIT MARKET STOP STOP_MARKET TAKE_PROFIT TAKE_PROFIT_MARKET TRAILING_STOP_MARKET")
LIKELY = TYPES + words(
    "BTCUSDT ETHUSDT NOPEUSDT BUY SELL GTC IOC FOK GTX GTD GTE_GTC ISOLATED CROSSED BOTH LONG SHORT true "
    "false TRUE MARK_PRICE CONTRACT_PRICE CONDITIONAL 1m 15m PERPETUAL 1 5 20 125 150 0.01 100000 110000.1 "
    '[1,2] [{}] [{"symbol":"BTCUSDT"}] 0 -1 1e5 1e400 NaN Infinity 0x1 00.1 1000001 2000001 ½ ٣ '
    "99999999999999999999"
)
value = st.one_of(
    st.sampled_from(LIKELY),
    st.text(max_size=40),
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(str),
    st.decimals().map(str),
)
params = st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), value, max_size=9)
order = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["BTCUSDT", "ETHUSDT"]),
        "side": st.sampled_from(["BUY", "SELL"]),
        "type": st.sampled_from(TYPES),
        "quantity": st.sampled_from(["0.01", "0.1", "1", "5", "1000"]),
    },
    optional=dict.fromkeys(NAMES[4:10], value),
)
PUBLIC = words(
    "ping time exchangeInfo klines continuousKlines markPriceKlines indexPriceKlines premiumIndexKlines "
    "premiumIndex ticker/24hr ticker/price ticker/bookTicker depth trades aggTrades fundingRate fundingInfo "
    "openInterest symbolAdlRisk listenKey nonsense"
)
FRAMES = (
    "\x00",
    "null",
    "1",
    '"',
    "[" * 5000,
    '{"method":"SUBSCRIBE","params":["' + "a" * 60_000 + '"]}',
    '{"method":"SUBSCRIBE","params":null}',
    '{"method":"UNSUBSCRIBE","params":["x"],"id":1e999}',
    '{"method":"SET_PROPERTY","params":["combined",3],"id":9}',
    "\ud800{",
)
fuzzing = settings(deadline=None, suppress_health_check=list(HealthCheck))


def call(simulator: Simulator, method: str, path: str, sent: dict[str, str]) -> tuple[int, object]:
    """Make a correctly signed call, without the socket."""
    chosen = {**sent, "timestamp": str(simulator.time.wire_ms())}
    chosen.pop("signature", None)
    query = urlencode(chosen, errors="surrogatepass")
    signature = hmac.new(simulator.api_secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    reply = simulator.rest.answer(
        Call(
            method=method,
            path=path,
            query=f"{query}&signature={signature}",
            body="",
            api_key=simulator.api_key,
            address="fuzzer",
        )
    )
    return reply.status, msgspec.json.decode(reply.body)


def is_fair(status: int, answer: object) -> bool:
    """A refusal has a code and a sentence; nothing is our own fault."""
    if status == 200:
        return True
    return status < 500 and isinstance(answer, dict) and answer["code"] < -999 and bool(answer["msg"])


async def test_no_parameters_break_a_public_call() -> None:
    async with running(weight_limit=10**9) as (simulator, _):

        @fuzzing
        @given(st.sampled_from(["GET", "POST", "PUT", "DELETE"]), st.sampled_from(PUBLIC), params)
        def fuzz(method: str, name: str, sent: dict[str, str]) -> None:
            assert is_fair(*call(simulator, method, f"/fapi/v1/{name}", sent))

        fuzz()


async def test_no_parameters_break_a_signed_call() -> None:
    async with running(weight_limit=10**9) as (simulator, _):

        @fuzzing
        @given(st.sampled_from(sorted(ROUTES)), st.one_of(params, order))
        def fuzz(route: tuple[str, str], sent: dict[str, str]) -> None:
            assert is_fair(*call(simulator, *route, sent))
            simulator.market.step()
            simulator.broadcast.stepped(minute_closed=False)

        fuzz()


async def test_no_sequence_of_orders_breaks_the_account() -> None:
    async with running(weight_limit=10**9) as (simulator, announced), ccxt_client(announced) as client:
        routes = [("POST", "/fapi/v1/order"), ("POST", "/fapi/v1/algoOrder")]

        @fuzzing
        @given(st.sampled_from(routes), order)
        def fuzz(route: tuple[str, str], sent: dict[str, str]) -> None:
            wish = sent | {"algoType": "CONDITIONAL"} if "algo" in route[1] else sent
            assert is_fair(*call(simulator, *route, wish))
            for _ in range(5):
                simulator.market.step()
                simulator.broadcast.stepped(minute_closed=False)

        fuzz()
        balance = await client.fetch_balance()
        assert balance["USDT"]["total"] == balance["USDT"]["total"]  # not NaN


async def test_no_frame_breaks_a_stream() -> None:
    async with running() as (simulator, announced), aiohttp.ClientSession() as session:
        for frame in FRAMES:
            async with session.ws_connect(f"{announced.ws}/market/ws") as stream:
                await stream.send_bytes(frame.encode("utf-8", "surrogatepass"))
                await stream.receive(timeout=PATIENCE)
        async with session.ws_connect(f"{announced.ws}/market/ws") as stream:
            await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            assert (await stream.receive_json(timeout=PATIENCE))["result"] == []
        while simulator.hub.connections:
            async with session.get(f"{announced.rest}/fapi/v1/ping"):
                pass


async def test_bodies_that_are_too_large_or_not_text_are_refused() -> None:
    async with running() as (_, announced), aiohttp.ClientSession() as session:
        url = f"{announced.rest}/fapi/v1/order"
        async with session.post(url, data=io.BytesIO(b"a" * 3_000_000)) as answer:
            assert answer.status == 413
        async with session.post(url, data=b"\xff\xfe\x00=%%%&&&==") as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, -2014)
        async with session.get(f"{announced.rest}/fapi/v1/ping") as answer:
            assert answer.status == 200
