"""What each mode may talk to, and who we are there: checked before anything starts."""

from collections.abc import Iterator

from core.errors import ModeRefused
from core.settings import Mode, Settings
from exchange.binance.addresses import (
    DEMO_TRADING,
    PRODUCTION,
    BinanceAddresses,
    Credentials,
    Realm,
    realm_of,
    simulator_at,
)

_USUAL = {Mode.PAPER: PRODUCTION, Mode.TESTNET: DEMO_TRADING, Mode.LIVE: PRODUCTION}
_ALLOWED = {
    Mode.SIM: (Realm.LOCAL,),
    Mode.PAPER: (Realm.PRODUCTION, Realm.LOCAL),
    Mode.TESTNET: (Realm.DEMO, Realm.LOCAL),
    Mode.LIVE: (Realm.PRODUCTION,),
}


def refuse_contradictions(settings: Settings) -> None:
    """Raises ``ModeRefused`` with one sentence for everything the mode lacks or must not have."""
    sentences = (*settings.lacks(), *_wrong_addresses(settings))
    if sentences:
        raise ModeRefused("\n".join(sentences))


def addresses_of(settings: Settings) -> BinanceAddresses:
    """Return where the mode's exchange is. Raises ``ModeRefused`` where the mode must not talk to it."""
    if sentences := tuple(_wrong_addresses(settings)):
        raise ModeRefused("\n".join(sentences))
    rest, ws = settings.binance_rest_url, settings.binance_ws_url
    if rest is None:
        return _USUAL[settings.mode]
    if realm_of(rest) is Realm.LOCAL:
        return simulator_at(rest, ws)
    usual = _USUAL[settings.mode]
    return BinanceAddresses(rest=rest, ws=ws or usual.ws, wallet=usual.wallet)


def credentials_of(settings: Settings) -> Credentials:
    """Return the user's keys where the mode has an account, and none anywhere else."""
    key, secret = settings.binance_api_key, settings.binance_api_secret
    if not settings.has_exchange_account or key is None or secret is None:
        return Credentials()
    return Credentials(api_key=key.get_secret_value(), api_secret=secret.get_secret_value())


def unused_keys(settings: Settings) -> str:
    """Say so where a key is set that the mode makes no use of; empty where none is, or it is used."""
    is_set = settings.binance_api_key or settings.binance_api_secret
    if not is_set or settings.has_exchange_account:
        return ""
    why = "a simulator that the program starts itself has its own account"
    if settings.mode is Mode.PAPER:
        why = "what is traded on paper is no account of yours"
    return f"BINANCE_API_KEY is set and not used in mode {settings.mode}: {why}."


def _wrong_addresses(settings: Settings) -> Iterator[str]:
    allowed = _ALLOWED[settings.mode]
    rest, ws = settings.binance_rest_url, settings.binance_ws_url
    for name, address in (("BINANCE_REST_URL", rest), ("BINANCE_WS_URL", ws)):
        if address is not None and realm_of(address) not in allowed:
            yield (
                f"{name} names {realm_of(address)}, and mode {settings.mode} talks to"
                f" {' or '.join(allowed)} only: leave {name} empty, or choose another mode."
            )
    if ws and not rest:
        yield "BINANCE_WS_URL is set without BINANCE_REST_URL: set both, or neither."
    if ws and rest and realm_of(ws) is not realm_of(rest):
        yield "BINANCE_REST_URL and BINANCE_WS_URL name two different exchanges: set both alike, or neither."
