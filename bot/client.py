"""The Discord client: logs in, registers commands in our one server, and survives whatever Discord does."""

import asyncio
import logging
from collections.abc import Collection

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.account import AccountCommands
from bot.confirmation import ConfirmButton
from bot.desk import Desk, Read
from bot.notifier import DiscordNotifier
from bot.options import DiscordOptions
from bot.positions import PageButton, PositionCommands
from bot.steering import SteeringCommands
from bot.translator import CatalogueTranslator
from core.clock import Clock
from services.operator import Operator

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0  # seconds between attempts to log in
_AUTHENTICATION_FAILED = 4004  # gateway close code: the token was revoked


async def run_bot(
    options: DiscordOptions,
    *,
    read: Read,
    notifier: DiscordNotifier,
    clock: Clock,
    operator: Operator | None = None,
) -> None:
    """Answer commands and post notices until cancelled; without an ``operator`` nobody can steer.

    Never raises: whatever goes wrong with Discord is logged in one line and tried again, ever more slowly.
    Returns only when Discord refuses the token, which no retry can mend.
    """
    _use_addresses(options)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we never speak
    pause = _FIRST_PAUSE
    while True:
        began = clock.monotonic()
        try:
            await _serve(PerpscoutBot(Desk(read=read, options=options), operator), notifier)
            _log.warning("Discord closed the connection; back in %.0f s", pause)
        except discord.LoginFailure:
            _log.error("Discord refused the token: check DISCORD_TOKEN. Trading goes on without chat.")
            return
        except discord.ConnectionClosed as error:
            if error.code == _AUTHENTICATION_FAILED:
                _log.error("Discord revoked the token: make a new one. Trading goes on without chat.")
                return
            _log.warning("Discord closed the connection (code %s); back in %.0f s", error.code, pause)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            _log.warning("Discord can not be reached (%s); next attempt in %.0f s", _why(error), pause)
        except Exception:  # noqa: BLE001 - a mistake in here must not end the trader beside it
            _log.exception("The Discord front failed; starting it again in %.0f s", pause)
        await clock.sleep(pause)
        lasted = clock.monotonic() - began - pause
        pause = _FIRST_PAUSE if lasted > _LONGEST_PAUSE else min(2 * pause, _LONGEST_PAUSE)


class GuardedTree(app_commands.CommandTree["PerpscoutBot"]):
    """Refuses strangers before a command runs, and turns a failed command into a calm sentence."""

    async def interaction_check(self, interaction: discord.Interaction["PerpscoutBot"]) -> bool:
        desk = self.client.desk
        if desk.may_read(interaction):
            return True
        _log.warning("Refused a command of user %s in server %s", interaction.user.id, interaction.guild_id)
        await desk.tell(interaction, "refusal.elsewhere")
        return False

    async def on_error(
        self, interaction: discord.Interaction["PerpscoutBot"], error: app_commands.AppCommandError
    ) -> None:
        _log.error("Interaction %s failed", interaction.id, exc_info=error)
        try:
            await self.client.desk.tell(interaction, "fault.command", reference=interaction.id)
        except discord.HTTPException as unsent:
            _log.warning("Interaction %s could not be answered either: %s", interaction.id, unsent)


class PerpscoutBot(commands.Bot):
    """A client with slash commands only: no privileged intents, no cache of members, no prefix commands."""

    def __init__(self, desk: Desk, operator: Operator | None = None) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=GuardedTree,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.desk = desk
        self._operator = operator

    async def setup_hook(self) -> None:
        """Register commands once a login, whatever the gateway does afterwards."""
        if self.desk.options.guild_id is None:
            _log.info("DISCORD_GUILD_ID is not set: posting only, no commands")
            return
        guild = discord.Object(self.desk.options.guild_id)
        await self.tree.set_translator(CatalogueTranslator())
        await self.add_cog(PositionCommands(self.desk), guild=guild)
        await self.add_cog(AccountCommands(self.desk), guild=guild)
        self.add_dynamic_items(PageButton)
        if self._operator is not None:
            await self.add_cog(SteeringCommands(self.desk, self._operator), guild=guild)
            self.add_dynamic_items(ConfirmButton)
        try:
            await self.tree.sync(guild=guild)
        except discord.HTTPException as error:
            _log.warning("Commands could not be registered (is the bot in the server?): %s", error)


async def _serve(bot: PerpscoutBot, notifier: DiscordNotifier) -> None:
    """Log in, post in a task of its own, and follow the gateway until it closes for good."""
    options = bot.desk.options
    async with bot:
        await bot.login(options.token)
        # discord.py resumes lost connections by itself; a server that can not be reached is our loop's.
        tasks = {asyncio.create_task(bot.connect(reconnect=False))}
        if options.channel_id is not None:
            channel = bot.get_partial_messageable(options.channel_id)
            tasks.add(asyncio.create_task(notifier.deliver(channel)))
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            await _end(tasks, bot)


async def _end(tasks: Collection[asyncio.Task[None]], bot: PerpscoutBot) -> None:
    """Stop the tasks. Until Python 3.12 ``connect`` may swallow its cancellation; closing ends it anyway."""
    for task in tasks:
        task.cancel()
    await bot.close()
    await asyncio.gather(*tasks, return_exceptions=True)


def _why(error: Exception) -> str:
    """Timeouts have no words of their own."""
    return str(error) or type(error).__name__


def _use_addresses(options: DiscordOptions) -> None:
    """Point discord.py elsewhere; it keeps its addresses on its classes."""
    if options.api_url:
        Route.BASE = options.api_url
    if options.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(options.gateway_url)
