"""Settings: defaults equal the documented ones, limits only tighten, and every mistake gets one sentence."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from core.parameters import Parameters
from core.settings import CONFIRMATION, NAMES, Mode, Settings, example, load_settings

ROOT = Path(__file__).parents[3]
KEYS = {"BINANCE_API_KEY": "k3y", "BINANCE_API_SECRET": "s3cret"}
LIVE = {"PERPSCOUT_MODE": "live", **KEYS}


def complaint(environ: dict[str, str], env_file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, env_file)
    return str(caught.value)


def test_the_example_is_the_settings() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example()


def test_the_example_alone_gives_the_defaults() -> None:
    assert load_settings({}, ROOT / ".env.example") == load_settings({})


def test_the_example_explains_every_setting() -> None:
    lines = example().splitlines()
    for name in NAMES:
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{name}="))
        assert lines[at - 1].startswith("# ")


def test_by_default_no_real_money_can_move_and_the_strategy_is_unchanged() -> None:
    settings = load_settings({})
    assert settings.mode is Mode.SIM
    assert not settings.trading_enabled
    assert settings.parameters() == Parameters()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("PERPSCOUT_ACCOUNT=file\nPERPSCOUT_LANGUAGE=en\n")
    settings = load_settings({"PERPSCOUT_ACCOUNT": "shell"}, env_file)
    assert (settings.account, settings.language) == ("shell", "en")


def test_a_missing_file_is_no_mistake(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path / ".env") == load_settings({})


def test_an_account_writes_in_its_own_folder() -> None:
    settings = load_settings({"PERPSCOUT_HOME": "runs", "PERPSCOUT_ACCOUNT": "second"})
    assert settings.folder == Path("runs/sim/second")


def test_lists_are_separated_by_commas() -> None:
    settings = load_settings({"UNIVERSE_BLACKLIST": "BTCUSDT, ETHUSDT,", "DISCORD_OWNER_IDS": "17,4"})
    assert settings.universe_blacklist == {"BTCUSDT", "ETHUSDT"}
    assert settings.discord_owner_ids == {17, 4}


def test_parameters_of_strategies_are_given_by_name() -> None:
    given = "ict_smc.enabled=false, ict_smc.grades.room_r=0.5:0 1:1"
    settings = load_settings({"PERPSCOUT_STRATEGY_PARAMETERS": given})
    assert settings.tunings == {"ict_smc.enabled": "false", "ict_smc.grades.room_r": "0.5:0 1:1"}


def test_tightened_limits_reach_the_strategy() -> None:
    parameters = load_settings(
        {
            "RISK_MAX_REAL_POSITIONS": "1",
            "RISK_CONFIDENCE_THRESHOLD": "80",
            "RISK_MAX_DAILY_LOSS": "0.01",
            "RISK_MAX_LOSS_PER_TRADE": "0.005",
            "RISK_MAX_LEVERAGE": "5",
            "UNIVERSE_MAX_SPREAD": "0.0001",
        }
    ).parameters()
    assert parameters.risk.max_positions == 1
    assert parameters.ranking.confidence_threshold == 80
    assert parameters.risk.max_day_loss == Decimal("0.01")
    assert parameters.sizing.max_loss == Decimal("0.005")
    assert parameters.leverage.highest == 5
    assert parameters.universe.max_spread == 0.0001


@given(share=st.decimals("0.0501", "1000"))
def test_no_daily_loss_above_the_strategys_is_ever_accepted(share: Decimal) -> None:
    assert "expected at most 0.05, where 0.05 means 5 %" in complaint({"RISK_MAX_DAILY_LOSS": str(share)})


@pytest.mark.fault(63)
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PERPSCOUT_MODE", "lvie", "expected 'sim', 'paper', 'testnet' or 'live'."),
        ("PERPSCOUT_LANGUAGE", "de", "expected 'zh-TW', 'zh-CN' or 'en'."),
        ("PERPSCOUT_ACCOUNT", "../x", "expected up to 32 small letters, digits, - and _"),
        ("TRADING_ENABLED", "maybe", "expected true or false."),
        ("RISK_MAX_REAL_POSITIONS", "4", "expected at most 3."),
        ("RISK_MAX_REAL_POSITIONS", "2.5", "expected a whole number."),
        ("RISK_CONFIDENCE_THRESHOLD", "60", "expected at least 70"),
        ("RISK_CONFIDENCE_THRESHOLD", "nan", "expected at"),
        ("RISK_MAX_LEVERAGE", "2", "expected at least 3."),
        ("RISK_MAX_DRAWDOWN", "NaN", "expected a finite number."),
        ("RISK_MAX_GROSS_NOTIONAL", "-inf", "expected a finite number."),
        ("RISK_MAX_TOTAL_MARGIN", "half", "expected a number."),
        ("UNIVERSE_MAX_SPREAD", "1", "expected at most 0.0005, where 0.05 means 5 %."),
        ("UNIVERSE_MIN_QUOTE_VOLUME_24H", "4999999", "expected at least 5000000."),
        ("UNIVERSE_MIN_TRIGGER_PROTECT", "0.009", "expected at least 0.01."),
        ("UNIVERSE_BLACKLIST", "btc usdt", "expected symbols such as BTCUSDT."),
        ("PERPSCOUT_STRATEGY_PARAMETERS", "ict_smc=off", "expected STRATEGY.PARAMETER=VALUE"),
        ("DISCORD_OWNER_IDS", "me", "expected a whole number."),
        ("BINANCE_REST_URL", "somewhere", "expected an address such as"),
        ("BINANCE_REST_URL", "http://[::1", "expected an address such as"),
        ("BINANCE_REST_URL", "http://192.0.2.1", "keys never travel unencrypted."),
        ("BINANCE_REST_URL", "http://fapi.binance.com", "keys never travel unencrypted."),
        ("BINANCE_REST_URL", "wss://fapi.binance.com", "expected scheme, host and port alone"),
        ("BINANCE_WS_URL", "https://fstream.binance.com", "expected scheme, host and port alone"),
        ("BINANCE_REST_URL", "https://me:s3cret@fapi.binance.com", "expected scheme, host and port alone"),
        ("BINANCE_REST_URL", "https://fapi.binance.com@evil.example", "expected scheme, host and port alone"),
        (
            "BINANCE_REST_URL",
            "https://evil.example\\@fapi.binance.com",
            "expected scheme, host and port alone",
        ),
        ("BINANCE_REST_URL", "https://fapi.binance.com/proxy", "expected scheme, host and port alone"),
        ("BINANCE_REST_URL", "https://fapi.binance.com?to=evil.example", "expected scheme, host and port"),
        ("BINANCE_REST_URL", "https://fapi.binance.com#x", "expected scheme, host and port alone"),
        ("BINANCE_REST_URL", "https://fapi.binance.com:443:1", "expected scheme, host and port alone"),
    ],
)
def test_a_bad_value_is_answered_with_name_value_and_what_is_expected(
    name: str, value: str, sentence: str
) -> None:
    answer = complaint({name: value})
    assert answer.startswith(name)
    assert sentence in answer
    assert "\n" not in answer


def test_every_mistake_gets_its_own_line() -> None:
    answer = complaint({"PERPSCOUT_MODE": "x", "RISK_MAX_LEVERAGE": "100"})
    assert len(answer.splitlines()) == 2


@pytest.mark.fault(63)
def test_a_name_with_a_slip_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("TRADING_ENABLE=true\nOTHER_PROGRAM=1\n")
    assert complaint({}, env_file) == "TRADING_ENABLE is not a setting; the nearest is TRADING_ENABLED."
    assert "RISK_MAX_LEVERAGE" in complaint({"RISK_MAX_LEVERGE": "5"})


@pytest.mark.fault(63)
def test_a_limit_in_small_letters_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("risk_max_daily_loss=0.01\n")
    sentence = "risk_max_daily_loss is not a setting; the nearest is RISK_MAX_DAILY_LOSS."
    assert complaint({}, env_file) == sentence
    assert complaint({"risk_max_daily_loss": "0.01"}) == sentence


def test_an_address_is_one_in_any_case() -> None:
    for written in ("https://FAPI.Binance.com", "HTTPS://fapi.binance.com/"):
        assert load_settings({"BINANCE_REST_URL": written}).binance_rest_url == "https://fapi.binance.com"


def test_names_of_other_programs_in_the_environment_are_left_alone() -> None:
    assert load_settings({"DISCORD_WEBHOOK": "x", "HOME": "/"}) == load_settings({})


@pytest.mark.fault(65)
def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"\xff\xfe\x00")
    assert "can not be read" in complaint({}, env_file)


@pytest.mark.parametrize("mode", ["testnet", "live"])
def test_an_exchange_account_needs_both_halves_of_the_key(mode: str) -> None:
    lacks = load_settings({"PERPSCOUT_MODE": mode, "BINANCE_API_KEY": "k3y"}).lacks()
    assert [sentence.split()[0] for sentence in lacks][:1] == ["BINANCE_API_SECRET"]
    assert not load_settings({"PERPSCOUT_MODE": mode, **KEYS}).lacks()


def test_everything_that_live_mode_lacks_is_told_at_once() -> None:
    lacks = load_settings({"PERPSCOUT_MODE": "live"}).lacks()
    assert [sentence.split()[0] for sentence in lacks] == [
        "BINANCE_API_KEY", "BINANCE_API_SECRET", "To",
    ]  # fmt: skip
    assert lacks[-1].startswith("To watch, key and secret are enough; to trade, set TRADING_ENABLED=true")
    assert CONFIRMATION in lacks[-1]


def test_a_key_that_is_missing_says_what_is_enough_to_watch_and_nothing_more_where_trading_is_on() -> None:
    switches = {"TRADING_ENABLED": "true", "LIVE_CONFIRMATION": CONFIRMATION}
    lacks = load_settings({"PERPSCOUT_MODE": "live", **switches}).lacks()
    assert [sentence.split()[0] for sentence in lacks] == ["BINANCE_API_KEY", "BINANCE_API_SECRET"]


def test_no_complaint_speaks_in_the_words_of_a_library() -> None:
    strange = {"DISCORD_GUILD_ID": "9" * 5_000, "RISK_MAX_REAL_POSITIONS": "1.5", "BINANCE_REST_URL": "x"}
    told = complaint(strange)
    assert all(name in told for name in strange)
    assert not any(words in told for words in ("Input should", "Value error", "Unable to"))


def test_sim_and_paper_lack_nothing_and_a_simulator_that_runs_already_wants_its_keys() -> None:
    assert not load_settings({}).lacks()
    assert not load_settings({"PERPSCOUT_MODE": "paper"}).lacks()
    running = {"BINANCE_REST_URL": "http://127.0.0.1:8650"}
    assert len(load_settings(running).lacks()) == 2
    assert not load_settings({**running, **KEYS}).lacks()


def test_live_trades_only_when_switched_on_and_confirmed_in_so_many_words() -> None:
    def live(**switches: str) -> Settings:
        return load_settings({**LIVE, **switches})

    assert not live().may_trade
    assert not live(LIVE_CONFIRMATION=CONFIRMATION).may_trade
    assert not live(TRADING_ENABLED="true").may_trade
    assert not live(TRADING_ENABLED="true", LIVE_CONFIRMATION="yes").may_trade
    assert not live(TRADING_ENABLED="true", LIVE_CONFIRMATION=CONFIRMATION.lower()).may_trade
    assert live(TRADING_ENABLED="true", LIVE_CONFIRMATION=CONFIRMATION).may_trade


@pytest.mark.parametrize("words", ["", "yes", CONFIRMATION + "."])
def test_half_a_switch_is_told_and_no_switch_is_a_choice(words: str) -> None:
    half = load_settings({**LIVE, "TRADING_ENABLED": "true", "LIVE_CONFIRMATION": words})
    assert [sentence.split()[0] for sentence in half.lacks()] == ["LIVE_CONFIRMATION"]
    assert not load_settings({**LIVE, "LIVE_CONFIRMATION": words}).lacks()


def test_a_run_on_our_own_simulator_has_the_limits_of_the_user_and_nothing_of_the_exchange() -> None:
    settings = load_settings(
        {**LIVE, "BINANCE_REST_URL": "https://fapi.binance.com", "RISK_MAX_LEVERAGE": "5"}
    )
    demo = settings.on_own_simulator()
    assert demo.mode is Mode.SIM
    assert demo.starts_simulator
    assert demo.may_trade
    assert not demo.has_exchange_account
    assert demo.risk_max_leverage == 5


def test_secrets_never_show() -> None:
    settings = load_settings({**LIVE, "DISCORD_TOKEN": "t0ken"})
    shown = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    for secret in ("k3y", "s3cret", "t0ken"):
        assert secret not in shown
    assert settings.binance_api_secret is not None
    assert settings.binance_api_secret.get_secret_value() == "s3cret"


@pytest.mark.fault(63)
def test_complaints_never_show_secrets() -> None:
    assert "s3cret" not in complaint({**LIVE, "TRADING_ENABLED": "true", "DISCORD_GUILD_ID": "x"})


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).mode = Mode.LIVE


def test_every_setting_is_documented() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.fault(65)
@pytest.mark.parametrize("line", ["this is not a setting", "=0.01", "RISK_MAX_DRAWDOWN 0.05"])
def test_a_line_that_is_no_setting_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"RISK_MAX_LEVERAGE=5\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="line 2"):
        load_settings({}, file)


def test_an_env_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can not be read"):
        load_settings({}, tmp_path)
