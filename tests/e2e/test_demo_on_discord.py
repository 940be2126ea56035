"""The whole trader with its Discord front, as two processes and real discord.py between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.journal import EntryKind, OperatorActed
from core.operation import OperatorAction
from data.journal_reader import JournalReader
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


def titles(server: DiscordServer) -> str:
    return "\n".join(embed["title"] for posted in server.posted for embed in posted.embeds)


def leave(home: Path, wish: str) -> Path:
    """Put a wish beside the journal, as somebody with a shell would; returns the journal's path."""
    (journal,) = home.rglob("journal.db")
    (journal.parent / "wishes" / wish).touch()
    return journal


@needs_candles
async def test_a_channel_is_told_of_positions_and_a_person_asks_for_them_and_steers(tmp_path: Path) -> None:
    async with DiscordServer() as server, demo_on(server, tmp_path):
        await server.until(lambda: any(posted.embeds for posted in server.posted), patience=90)
        answer = await server.slash("positions")
        assert "USDT" in str(server.posted[0].embeds[0])
        assert "SIM" in str(answer.embed["footer"])

        asked = await server.slash("panic")
        assert (await server.press(asked, "Yes, do it")).replaced_message
        await server.until(lambda: "已停止新進場" in titles(server))
        halted = await server.slash("balance")
        assert "⛔" in halted.embed["description"]

        journal = leave(tmp_path, "resume")
        await server.until(lambda: "已恢復進場" in titles(server))
    with JournalReader(journal) as reader:
        wishes = [entry.body for entry in reader.entries(EntryKind.OPERATOR)]
    told = [(wish.request.action, wish.request.by) for wish in wishes if isinstance(wish, OperatorActed)]
    assert told[0] == (OperatorAction.PANIC, f"discord:{OWNER_ID}")
    assert told[1][0] is OperatorAction.RESUME
    assert told[1][1].startswith("file:")
