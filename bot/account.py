"""/balance and /stats: what the account holds, and what trading has brought so far."""

from discord import app_commands
from discord.ext import commands

from bot.desk import Answer, Asked, Desk
from bot.layout import Style
from bot.panels import balance_embed, stats_embed
from bot.translator import named
from core.views import TraderView


class AccountCommands(commands.Cog):
    """Balance and statistics."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @app_commands.command(
        name=named("command.balance.name"), description=named("command.balance.description")
    )
    @app_commands.rename(share=named("command.share.name"))
    @app_commands.describe(share=named("command.share.description"))
    async def balance(self, interaction: Asked, share: bool = False) -> None:
        await self._desk.answer(interaction, _balance, share=share)

    @app_commands.command(name=named("command.stats.name"), description=named("command.stats.description"))
    @app_commands.rename(share=named("command.share.name"))
    @app_commands.describe(share=named("command.share.description"))
    async def stats(self, interaction: Asked, share: bool = False) -> None:
        await self._desk.answer(interaction, _stats, share=share)


def _balance(view: TraderView, style: Style) -> Answer:
    return Answer(balance_embed(view, style))


def _stats(view: TraderView, style: Style) -> Answer:
    return Answer(stats_embed(view, style))
