"""Which mode may talk to what: going live changes addresses and keys, and no wrong pair of them starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ModeRefused
from core.settings import CONFIRMATION, Mode, Settings, load_settings
from exchange.binance.addresses import DEMO_TRADING, PRODUCTION, Realm, realm_of
from wiring.modes import addresses_of, credentials_of, refuse_contradictions, unused_keys

KEYS = {"BINANCE_API_KEY": "k3y", "BINANCE_API_SECRET": "s3cret"}
SWITCHES = {"TRADING_ENABLED": "true", "LIVE_CONFIRMATION": CONFIRMATION}
LOCAL = "http://127.0.0.1:8650"


def settings(mode: str, rest: str = "", ws: str = "", **more: str) -> Settings:
    return load_settings(
        {"PERPSCOUT_MODE": mode, "BINANCE_REST_URL": rest, "BINANCE_WS_URL": ws, **KEYS, **more}
    )


def refusal(given: Settings) -> str:
    with pytest.raises(ModeRefused) as caught:
        refuse_contradictions(given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("mode", "addresses"), [("paper", PRODUCTION), ("testnet", DEMO_TRADING), ("live", PRODUCTION)]
)
def test_each_mode_has_its_exchange(mode: str, addresses: object) -> None:
    assert addresses_of(settings(mode)) == addresses


@pytest.mark.parametrize(
    ("mode", "address"),
    [
        ("live", DEMO_TRADING.rest),
        ("live", LOCAL),
        ("live", "https://fapi.binance.com.evil.example"),
        ("live", "https://evil.example"),
        ("testnet", PRODUCTION.rest),
        ("testnet", "https://FAPI.binance.com"),
        ("testnet", "https://exchange.example"),
        ("paper", "https://exchange.example"),
        ("paper", DEMO_TRADING.rest),
        ("sim", PRODUCTION.rest),
        ("sim", DEMO_TRADING.rest),
    ],
)
@pytest.mark.fault(64)
def test_a_mode_refuses_an_address_of_another_and_names_the_variable(mode: str, address: str) -> None:
    for chosen, name in (
        (settings(mode, address), "BINANCE_REST_URL"),
        (settings(mode, ws=address.replace("http", "ws", 1)), "BINANCE_WS_URL"),
    ):
        sentence = refusal(chosen)
        assert sentence.startswith(name)
        assert f"mode {mode}" in sentence
        assert f"leave {name} empty" in sentence
        with pytest.raises(ModeRefused):
            addresses_of(chosen)


@pytest.mark.parametrize("mode", ["sim", "paper", "testnet"])
def test_a_simulator_on_this_machine_serves_every_mode_without_real_money(mode: str) -> None:
    addresses = addresses_of(settings(mode, LOCAL))
    assert (addresses.rest, addresses.ws, addresses.wallet) == (LOCAL, "ws://127.0.0.1:8650", LOCAL)
    assert addresses_of(settings(mode, LOCAL, "ws://localhost:1")).ws == "ws://localhost:1"


@given(host=st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){0,3}", fullmatch=True))
def test_no_host_but_binances_own_is_production(host: str) -> None:
    is_binance = host in {"fapi.binance.com", "fstream.binance.com"}
    assert (realm_of(f"https://{host}") is Realm.PRODUCTION) == is_binance


def test_streams_alone_or_of_another_exchange_are_refused() -> None:
    assert "without BINANCE_REST_URL" in refusal(settings("testnet", ws=DEMO_TRADING.ws))
    assert "two different exchanges" in refusal(settings("testnet", LOCAL, DEMO_TRADING.ws))


def test_keys_go_only_where_there_is_an_account() -> None:
    assert credentials_of(settings("paper")).api_key == ""
    assert credentials_of(settings("sim")).api_key == ""
    for mode, rest in (("live", ""), ("testnet", ""), ("testnet", LOCAL), ("sim", LOCAL)):
        assert credentials_of(settings(mode, rest)).api_secret == "s3cret"


def test_all_that_is_wrong_is_told_at_once() -> None:
    given = load_settings({"PERPSCOUT_MODE": "live", "BINANCE_REST_URL": LOCAL, "TRADING_ENABLED": "true"})
    assert [line.split()[0] for line in refusal(given).splitlines()] == [
        "BINANCE_API_KEY", "BINANCE_API_SECRET", "LIVE_CONFIRMATION", "BINANCE_REST_URL",
    ]  # fmt: skip


def test_no_refusal_shows_a_secret() -> None:
    assert "s3cret" not in refusal(settings("live", LOCAL, TRADING_ENABLED="true"))


def test_live_with_both_switches_and_keys_contradicts_nothing() -> None:
    refuse_contradictions(settings("live", **SWITCHES))
    assert settings("live", **SWITCHES).mode is Mode.LIVE


def test_a_key_that_the_mode_makes_no_use_of_is_named_and_no_other() -> None:
    assert "BINANCE_API_KEY is set and not used in mode paper" in unused_keys(settings("paper"))
    assert "mode sim" in unused_keys(settings("sim"))
    for used in (settings("sim", LOCAL), settings("testnet"), settings("live"), load_settings({})):
        assert unused_keys(used) == ""
