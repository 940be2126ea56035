"""What went wrong on the wire is told in words, and shows no request."""

import errno

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from core.errors import ExchangeUnavailable
from exchange.binance.transport import AiohttpTransport, HttpRequest

HOST = ConnectionKey(
    host="fapi.example",
    port=443,
    is_ssl=True,
    ssl=True,
    proxy=None,
    proxy_auth=None,
    proxy_headers_hash=None,
)


class Failing(AiohttpTransport):
    """A transport whose every connection ends in the same fault."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self._fault = fault

    def _opened(self) -> aiohttp.ClientSession:
        raise self._fault


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (aiohttp.ClientConnectorDNSError(HOST, OSError(-3, "later")), "see that the network is up"),
        (aiohttp.ClientConnectorError(HOST, OSError(errno.ECONNREFUSED, "x")), "connection refused"),
        (aiohttp.ServerDisconnectedError(), "the connection was closed"),
        (aiohttp.ServerTimeoutError(), "timed out"),
        (ConnectionResetError(), "the connection broke"),
    ],
)
async def test_a_fault_is_told_in_words(fault: Exception, words: str) -> None:
    request = HttpRequest(method="GET", url="https://fapi.example/x?signature=s3cret", headers={}, body=None)
    with pytest.raises(ExchangeUnavailable, match=words) as told:
        await Failing(fault).send(request)
    assert "(" not in str(told.value)
    assert "s3cret" not in str(told.value)
