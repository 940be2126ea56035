"""The whole trader with its Discord front, as two processes and real discord.py between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.program import command, environment
from tests.fakes.discord_payloads import CHANNEL_ID, GUILD_ID, OWNER_ID
from tests.fakes.discord_server import TOKEN, DiscordServer
from tests.recorded import CANDLES, needs_candles


@asynccontextmanager
async def demo_on(server: DiscordServer, home: Path) -> AsyncIterator[None]:
    """Run half an hour of real candles in which positions open, until the block ends."""
    settings = {
        "DISCORD_TOKEN": TOKEN,
        "DISCORD_GUILD_ID": str(GUILD_ID),
        "DISCORD_CHANNEL_ID": str(CHANNEL_ID),
        "DISCORD_OWNER_IDS": str(OWNER_ID),
        "DISCORD_API_URL": server.rest,
        "DISCORD_GATEWAY_URL": server.gateway,
    }
    child = await asyncio.create_subprocess_exec(
        *command("demo", "--data", CANDLES, "--from", "2025-05-19T08:00", "--minutes", 2000, "--speed", 300),
        cwd=home,
        env=environment(home, settings),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        child.terminate()
        await child.wait()


@needs_candles
async def test_a_channel_is_told_of_positions_and_a_person_can_ask_for_them(tmp_path: Path) -> None:
    async with DiscordServer() as server, demo_on(server, tmp_path):
        await server.until(lambda: any(posted.embeds for posted in server.posted), patience=90)
        answer = await server.slash("positions")
        assert "USDT" in str(server.posted[0].embeds[0])
        assert "SIM" in str(answer.embed["footer"])
