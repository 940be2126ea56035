"""Where a Binance-compatible exchange lives, and who we are there."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceAddresses:
    """Scheme and host of REST and WebSocket, without a path: the only difference between venues.

    ``wallet`` is where a key tells what it may do, empty where there is no such place.
    """

    rest: str
    ws: str
    wallet: str = ""

    def market_socket(self) -> str:
        """Klines and mark prices; the unrouted path acknowledges them and then stays silent."""
        return f"{self.ws}/market/ws"

    def public_socket(self) -> str:
        """Best bids and asks."""
        return f"{self.ws}/public/ws"

    def user_socket(self, listen_key: str) -> str:
        return f"{self.ws}/private/ws?listenKey={listen_key}"


PRODUCTION = BinanceAddresses(
    rest="https://fapi.binance.com", ws="wss://fstream.binance.com", wallet="https://api.binance.com"
)
DEMO_TRADING = BinanceAddresses(rest="https://demo-fapi.binance.com", ws="wss://fstream.binancefuture.com")


class Realm(StrEnum):
    """Whose money an address is about."""

    PRODUCTION = "Binance itself"
    DEMO = "Binance's demo trading"
    LOCAL = "a simulator on this machine"
    UNKNOWN = "nobody we know"


_REALMS = {
    "fapi.binance.com": Realm.PRODUCTION,
    "fstream.binance.com": Realm.PRODUCTION,
    "demo-fapi.binance.com": Realm.DEMO,
    "testnet.binancefuture.com": Realm.DEMO,
    "fstream.binancefuture.com": Realm.DEMO,
    "stream.binancefuture.com": Realm.DEMO,
    "localhost": Realm.LOCAL,
}


def realm_of(address: str) -> Realm:
    """Tell whose an address is by its whole host: a name that ends alike is a stranger's."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    if host in _REALMS:
        return _REALMS[host]
    try:
        return Realm.LOCAL if ip_address(host).is_loopback else Realm.UNKNOWN
    except ValueError:
        return Realm.UNKNOWN


def simulator_at(rest: str, ws: str | None = None) -> BinanceAddresses:
    """Return the addresses of a simulator, which serves everything behind one port."""
    return BinanceAddresses(rest=rest, ws=ws or rest.replace("http", "ws", 1), wallet=rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An API key pair; empty for what is public. Never shown in logs or tracebacks."""

    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)
