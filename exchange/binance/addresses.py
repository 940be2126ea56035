"""Where a Binance-compatible exchange lives, and who we are there."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceAddresses:
    """Scheme and host of REST and WebSocket, without a path: the only difference between venues."""

    rest: str
    ws: str

    def market_socket(self) -> str:
        """Klines and mark prices; the unrouted path acknowledges them and then stays silent."""
        return f"{self.ws}/market/ws"

    def public_socket(self) -> str:
        """Best bids and asks."""
        return f"{self.ws}/public/ws"

    def user_socket(self, listen_key: str) -> str:
        return f"{self.ws}/private/ws?listenKey={listen_key}"


PRODUCTION = BinanceAddresses(rest="https://fapi.binance.com", ws="wss://fstream.binance.com")
DEMO_TRADING = BinanceAddresses(rest="https://demo-fapi.binance.com", ws="wss://fstream.binancefuture.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An API key pair; empty for what is public. Never shown in logs or tracebacks."""

    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)
