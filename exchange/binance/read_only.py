"""A transport on which nothing can be ordered, whoever tries: only questions leave this machine."""

from yarl import URL

from core.errors import ExchangeRefused
from exchange.binance.transport import HttpRequest, HttpResponse, Socket, Transport

LISTEN_KEY = "/fapi/v1/listenKey"
NOT_SENT = 0


class ReadOnlyTransport:
    """Passes GET requests and sockets on, and refuses whatever could change something at the exchange.

    The key of the user stream is the one thing that is asked for by POST and changes nothing.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Raises ``ExchangeRefused`` for what is not a question; it was not sent then."""
        path = URL(request.url, encoded=True).raw_path
        if request.method != "GET" and path != LISTEN_KEY:
            raise ExchangeRefused(NOT_SENT, f"{request.method} {path} was not sent: this run only watches")
        return await self._transport.send(request)

    async def connect(self, url: str) -> Socket:
        return await self._transport.connect(url)

    async def close(self) -> None:
        await self._transport.close()
