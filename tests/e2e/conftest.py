"""What end-to-end tests share."""

from collections.abc import AsyncIterator, Iterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.e2e.discord_front import Front, running
from tests.fakes.discord_server import DiscordServer


@pytest.fixture
def addresses() -> Iterator[None]:
    """Give discord.py back the addresses that a test takes from it."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.fixture
async def server(addresses: None) -> AsyncIterator[DiscordServer]:
    """A local Discord."""
    async with DiscordServer() as local:
        yield local


@pytest.fixture
async def front(server: DiscordServer) -> AsyncIterator[Front]:
    """A front that has logged in and registered its commands."""
    async with running(server) as started:
        await server.until(lambda: server.syncs == 1 and server.identifies == 1)
        yield started
