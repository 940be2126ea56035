"""ccxt as we use it: it knows paths and signatures; sending and judging are ours.

Importing ccxt takes seconds, so this module is imported where a client is made, not before.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from ccxt.async_support import binanceusdm
from yarl import URL

from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.transport import HttpRequest, HttpResponse

RECEIVE_WINDOW_MS = 5_000


class CcxtClient(binanceusdm):  # type: ignore[misc]  # ccxt ships no types
    """The real ``binanceusdm`` whose ``fetch`` returns the raw reply of a transport that was passed in."""

    def __init__(
        self,
        addresses: BinanceAddresses,
        credentials: Credentials,
        *,
        send: Callable[[HttpRequest], Awaitable[HttpResponse]],
        wire_ms: Callable[[], int],
    ) -> None:
        super().__init__(
            {
                "apiKey": credentials.api_key,
                "secret": credentials.api_secret,
                "enableRateLimit": False,
                "options": {"fetchCurrencies": False, "recvWindow": RECEIVE_WINDOW_MS},
            }
        )
        self._send = send
        self._wire_ms = wire_ms
        self.urls["api"] = {
            name: _moved(url, _base_of(name, addresses)) if isinstance(url, str) else url
            for name, url in self.urls["api"].items()
        }

    def nonce(self) -> int:
        return self._wire_ms() - int(self.options["timeDifference"])

    def set_clock_ahead(self, milliseconds: int) -> None:
        """Take note that our clock is ahead of the exchange's by ``milliseconds``."""
        self.options["timeDifference"] = milliseconds

    async def fetch(
        self,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> HttpResponse:
        return await self._send(HttpRequest(method=method, url=url, headers=headers or {}, body=body))

    async def ask(self, endpoint: str, parameters: Mapping[str, Any]) -> HttpResponse:
        """Call one of ccxt's implicit methods by its name."""
        return cast("HttpResponse", await getattr(self, endpoint)(dict(parameters)))


def _base_of(api: str, addresses: BinanceAddresses) -> str:
    return (addresses.wallet if api.startswith("sapi") else "") or addresses.rest


def _moved(url: str, base: str) -> str:
    """Replace scheme and host, as simulators and demo trading differ by address alone."""
    return base + URL(url).raw_path.rstrip("/")
