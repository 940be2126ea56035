"""What a user may set: read once from the environment and ``.env``, checked, and never changed afterwards."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_core import ErrorDetails

from core.errors import SettingsError
from core.parameters import Parameters

CONFIRMATION = "I understand that real money is at risk"
DEFAULTS = Parameters()

# The first word of a name says what it is about; names without one of these begin with PERPSCOUT.
FAMILIES = {
    "PERPSCOUT": "The program",
    "BINANCE": "Binance. sim and paper need none of it; testnet and live need the key and its secret.",
    "TRADING": "Real money. Live mode sends orders only when both of these say so, and watches otherwise.",
    "LIVE": "",
    "DISCORD": "Discord. Without a token the trader runs without it.",
    "RISK": "Limits of the strategy. They can be tightened here, not loosened. 0.05 means 5 %.",
    "UNIVERSE": "Which markets may be entered. This too can be tightened here, not loosened.",
}
# Other programs' names may stand in the environment beside ours, but nobody else writes these.
OURS_ALONE = frozenset({"PERPSCOUT", "RISK", "UNIVERSE"})


class Mode(StrEnum):
    """Where candles come from and where orders go."""

    SIM = "sim"
    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"


_KEYS_OF = {
    Mode.SIM: "the api_key that the simulator printed when it started, because BINANCE_REST_URL names one",
    Mode.TESTNET: "a key of Binance's demo trading",
    Mode.LIVE: "a key that may trade futures, is bound to your address and can not withdraw",
}


def env_name(field: str) -> str:
    """Return the name in the environment of a field of ``Settings``."""
    name = field.upper()
    return name if _family(name) in FAMILIES else f"PERPSCOUT_{name}"


def _family(name: str) -> str:
    return name.partition("_")[0]


def _split(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _account(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", value):
        raise ValueError("expected up to 32 small letters, digits, - and _, because it names a folder")
    return value


def _symbol(value: str) -> str:
    if not re.fullmatch(r"[A-Z0-9]+", value):
        raise ValueError("expected symbols such as BTCUSDT")
    return value


def _tuning(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+=[^=]+", value):
        raise ValueError("expected STRATEGY.PARAMETER=VALUE, with names as config shows them")
    return value


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError("expected an address such as http://127.0.0.1:8080")
    if parts.scheme in {"http", "ws"} and not _is_loopback(parts.hostname):
        raise ValueError("expected https:// or wss://, because keys never travel unencrypted")
    return value.rstrip("/")


def _exchange(scheme: str, value: str) -> str:
    """A key goes to this host: nothing stands beside it that could be read in two ways, or be a secret."""
    host = r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)"
    if not re.fullmatch(rf"{scheme}s?://{host}(:\d{{1,5}})?", value.lower(), re.ASCII):
        raise ValueError(f"expected scheme, host and port alone, such as {scheme}://127.0.0.1:8650")
    return value.lower()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _at_most(limit: Any, **bounds: Any) -> Any:
    """A limit of the strategy: its default is also the loosest that can be set."""
    return Field(limit, le=limit, **bounds)


def _at_least(limit: Any, **bounds: Any) -> Any:
    """The same of what is the safer the more of it there is."""
    return Field(limit, ge=limit, **bounds)


Account = Annotated[str, AfterValidator(_account)]
Address = Annotated[str, AfterValidator(_address)]
RestHost = Annotated[Address, AfterValidator(partial(_exchange, "http"))]
StreamHost = Annotated[Address, AfterValidator(partial(_exchange, "ws"))]
Id = Annotated[int, Field(gt=0)]
Ids = Annotated[frozenset[Id], BeforeValidator(_split)]
Symbol = Annotated[str, AfterValidator(_symbol)]
Tunings = Annotated[tuple[Annotated[str, AfterValidator(_tuning)], ...], BeforeValidator(_split)]
Symbols = Annotated[frozenset[Symbol], BeforeValidator(_split)]


class Settings(BaseModel):
    """Every setting. ``.env.example`` is made from these fields, their defaults and the texts below them."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=env_name,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    mode: Mode = Mode.SIM
    """sim, paper, testnet or live. Only live can move real money."""
    home: Path = Path("var")
    """Where runs write: HOME/MODE/ACCOUNT."""
    account: Account = "main"
    """A short name of the account, in small letters; it names the account's folder."""
    language: Literal["zh-TW", "zh-CN", "en"] = "zh-TW"
    """The language of Discord's messages: zh-TW, zh-CN or en."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    max_memory_mb: int = Field(4096, ge=1024)
    """Memory in MB at which the program ends in good order, with exit code 75, to be started again."""
    up_colour: Literal["green", "red"] = "green"
    """The colour of rising prices and of gains: green or red."""

    strategy_parameters: Tunings = ()
    """Other parameters of the strategies, such as ict_smc.enabled=false, kernel.swing_leg=25; see config."""

    binance_api_key: SecretStr | None = None
    """A key that may trade futures, is bound to your address and can not withdraw."""
    binance_api_secret: SecretStr | None = None
    """The secret that came with it."""
    binance_rest_url: RestHost | None = None
    """The address of a running simulator, such as http://127.0.0.1:8650. Live takes none but Binance's."""
    binance_ws_url: StreamHost | None = None
    """Its address for the streams; by default that of REST with ws in place of http."""

    trading_enabled: bool = False
    """true or false."""
    live_confirmation: str | None = None
    """Must read: I understand that real money is at risk"""

    discord_token: SecretStr | None = None
    """The bot's token."""
    discord_guild_id: Id | None = None
    """The server that gets the commands."""
    discord_channel_id: Id | None = None
    """The channel that gets the messages."""
    discord_owner_ids: Ids = frozenset()
    """Users who may pause, resume and close, and share numbers with everybody: ids, separated by commas."""
    discord_api_url: Address | None = None
    """Another address for Discord's REST, for rehearsals."""
    discord_gateway_url: Address | None = None
    """Another address for Discord's gateway, for rehearsals."""

    risk_max_real_positions: int = _at_most(DEFAULTS.risk.max_positions, ge=0)
    """Real positions open at once."""
    risk_max_virtual_positions: int = _at_most(DEFAULTS.ranking.max_virtual, ge=0)
    """Virtual positions open at once."""
    risk_confidence_threshold: float = _at_least(DEFAULTS.ranking.confidence_threshold, le=100)
    """The confidence, up to 100, from which a signal counts."""
    risk_max_daily_loss: Decimal = _at_most(DEFAULTS.risk.max_day_loss, gt=0)
    """Loss of a UTC day together with all open risk, as a share of the day's opening equity."""
    risk_max_drawdown: Decimal = _at_most(DEFAULTS.risk.drawdown_halt, gt=0)
    """Fall from the highest equity that halts trading until a person resumes it."""
    risk_max_total_margin: Decimal = _at_most(DEFAULTS.risk.max_total_margin, gt=0)
    """Margin of all positions, as a share of equity."""
    risk_max_gross_notional: Decimal = _at_most(DEFAULTS.risk.max_gross_notional, gt=0)
    """Notional of all positions, in multiples of equity."""
    risk_max_loss_per_trade: Decimal = _at_most(DEFAULTS.sizing.max_loss, gt=0)
    """Loss of one position at its stop, costs included, as a share of equity."""
    risk_max_leverage: int = _at_most(DEFAULTS.leverage.highest, ge=DEFAULTS.leverage.lowest)
    """The highest leverage, 3 to 20."""

    universe_max_spread: Decimal = _at_most(Decimal(str(DEFAULTS.universe.max_spread)), gt=0)
    """The widest spread, as a share of the price."""
    universe_min_quote_volume_24h: Decimal = _at_least(Decimal(DEFAULTS.universe.min_quote_volume_24h))
    """The smallest volume of the last 24 hours, in USDT."""
    universe_min_trigger_protect: Decimal = _at_least(DEFAULTS.universe.min_trigger_protect, le=1)
    """The smallest protection of conditional orders (triggerProtect), as a share of the price."""
    universe_blacklist: Symbols = frozenset()
    """Markets never entered, such as BTCUSDT,ETHUSDT."""

    @property
    def may_trade(self) -> bool:
        """Whether orders may be sent: wherever no real money moves, else only when switched on twice."""
        return self.mode is not Mode.LIVE or (self.trading_enabled and self.live_confirmation == CONFIRMATION)

    @property
    def starts_simulator(self) -> bool:
        """Whether the exchange is a simulator of our own that lives as long as the run."""
        return self.mode is Mode.SIM and self.binance_rest_url is None

    def on_own_simulator(self) -> "Settings":
        """Return the same limits and wishes for a run that never leaves this machine."""
        return self.model_copy(update={"mode": Mode.SIM, "binance_rest_url": None, "binance_ws_url": None})

    @property
    def has_exchange_account(self) -> bool:
        """Whether requests are signed with the user's keys."""
        return self.mode in {Mode.TESTNET, Mode.LIVE} or (self.mode is Mode.SIM and not self.starts_simulator)

    def lacks(self) -> tuple[str, ...]:
        """Say in one sentence each what the mode needs and does not have; empty where it may start."""
        sentences = list(self._lacking_keys()) if self.has_exchange_account else []
        if self.trading_enabled and not self.may_trade:
            sentences.append(
                f'LIVE_CONFIRMATION does not read "{CONFIRMATION}": live mode sends orders only where it does'
                " and TRADING_ENABLED is true; while TRADING_ENABLED is false it only watches."
            )
        elif sentences and not self.may_trade:
            sentences.append(
                "To watch, key and secret are enough; to trade, set TRADING_ENABLED=true and"
                f" LIVE_CONFIRMATION={CONFIRMATION} as well."
            )
        return tuple(sentences)

    def _lacking_keys(self) -> Iterator[str]:
        if not self.binance_api_key:
            yield f"BINANCE_API_KEY is not set: mode {self.mode} needs {_KEYS_OF[self.mode]}."
        if not self.binance_api_secret:
            yield "BINANCE_API_SECRET is not set: it came with the key."

    @property
    def tunings(self) -> dict[str, str]:
        """Values of the strategies' parameters by STRATEGY.PARAMETER, where they are not the default."""
        named = (tuning.partition("=") for tuning in self.strategy_parameters)
        return {name: value.strip() for name, _, value in named}

    @property
    def folder(self) -> Path:
        """Where this account writes in this mode."""
        return self.home / self.mode / self.account

    def parameters(self) -> Parameters:
        """Return the strategy's parameters with the user's limits in them."""
        return replace(
            DEFAULTS,
            universe=replace(
                DEFAULTS.universe,
                max_spread=float(self.universe_max_spread),
                min_quote_volume_24h=float(self.universe_min_quote_volume_24h),
                min_trigger_protect=self.universe_min_trigger_protect,
            ),
            ranking=replace(
                DEFAULTS.ranking,
                confidence_threshold=self.risk_confidence_threshold,
                max_virtual=self.risk_max_virtual_positions,
            ),
            sizing=replace(DEFAULTS.sizing, max_loss=self.risk_max_loss_per_trade),
            leverage=replace(DEFAULTS.leverage, highest=self.risk_max_leverage),
            risk=replace(
                DEFAULTS.risk,
                max_positions=self.risk_max_real_positions,
                max_day_loss=self.risk_max_daily_loss,
                drawdown_halt=self.risk_max_drawdown,
                max_total_margin=self.risk_max_total_margin,
                max_gross_notional=self.risk_max_gross_notional,
            ),
        )


NAMES = tuple(env_name(field) for field in Settings.model_fields)


def load_settings(environ: Mapping[str, str], env_file: Path | None = None) -> Settings:
    """Read the settings; the environment wins over the file, an empty value means the default.

    Raises ``SettingsError`` with one sentence for each setting that is wrong.
    """
    in_file = _read(env_file) if env_file is not None else {}
    _refuse_unknown([name for name in in_file if _family(name.upper()) in FAMILIES])
    _refuse_unknown([name for name in environ if _family(name.upper()) in OURS_ALONE])
    given = {**in_file, **environ}
    try:
        return Settings.model_validate(
            {name: given[name].strip() for name in NAMES if given.get(name, "").strip()}
        )
    except ValidationError as error:
        raise SettingsError("\n".join(map(_sentence, error.errors(include_url=False)))) from None


def _read(env_file: Path) -> Mapping[str, str]:
    if not env_file.exists():
        return {}
    try:
        with env_file.open(encoding="utf-8") as lines:
            bindings = list(parse_stream(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{env_file} can not be read: {error}.") from error
    for binding in bindings:
        if binding.error:  # a limit on a line that is passed over would be no limit
            raise SettingsError(f"{env_file}, line {binding.original.line} is no setting: write NAME=value.")
    return {binding.key: binding.value or "" for binding in bindings if binding.key}


def _refuse_unknown(names: list[str]) -> None:
    sentences = [f"{name} is not a setting{_nearest(name)}." for name in names if name not in NAMES]
    if sentences:
        raise SettingsError("\n".join(sentences))


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name.upper(), NAMES, n=1)
    return f"; the nearest is {near[0]}" if near else ""


_EXPECTED = {
    "bool_parsing": "expected true or false",
    "decimal_parsing": "expected a number",
    "enum": "expected {expected}",
    "finite_number": "expected a finite number",
    "float_parsing": "expected a number",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "int_from_float": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_parsing_size": "expected a smaller number",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
    "value_error": "{error}",
}


def _sentence(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    expected = _EXPECTED.get(error["type"], "expected something else, see .env.example").format(**context)
    if context.get("le", 2) <= 1:
        expected += ", where 0.05 means 5 %"
    if not error["loc"]:
        return f"{expected}."
    return f'{error["loc"][0]} is "{error["input"]}": {expected}.'


def example() -> str:
    """Return the text of ``.env.example``."""
    return "\n".join(_example_lines()) + "\n"


def _example_lines() -> Iterator[str]:
    yield "# Copy this file to .env and change what you need. An empty value means the default."
    family = ""
    for name, field in zip(NAMES, Settings.model_fields.values(), strict=True):
        if _family(name) != family:
            family = _family(name)
            heading = FAMILIES[family]
            yield from ("", f"# ---- {heading}") if heading else ()
        yield f"# {field.description}"
        yield f"{name}={_written(field.default)}"


def _written(default: object) -> str:
    if default is None or default in (frozenset(), ()):
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default).replace("False", "false")
