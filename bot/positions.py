"""/positions: what is open now, in pages whose buttons outlive a restart."""

import re
from functools import partial
from typing import Any, Self

import discord
from discord import app_commands
from discord.ext import commands

from bot.catalogue import text
from bot.desk import Answer, Asked, Desk
from bot.layout import Style
from bot.panels import positions_pages
from bot.translator import named
from core.views import TraderView


class PositionCommands(commands.Cog):
    """What is open, real and virtual."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @app_commands.command(
        name=named("command.positions.name"), description=named("command.positions.description")
    )
    @app_commands.rename(share=named("command.share.name"))
    @app_commands.describe(share=named("command.share.description"))
    async def positions(self, interaction: Asked, share: bool = False) -> None:
        await self._desk.answer(interaction, partial(page, number=1), share=share)

    async def turn_to(self, asked: Asked, number: int) -> None:
        """Show another page, read anew; the rights of whoever presses are checked as for a command."""
        if not self._desk.may_read(asked):
            await self._desk.tell(asked, "refusal.elsewhere")
            return
        await self._desk.turn(asked, partial(page, number=number))


class PageButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"positions:(?P<kind>\w+):(?P<number>\d+)"
):
    """A button that carries its page in its id, so that it still works after we restarted."""

    def __init__(self, kind: str, number: int, *, label: str, is_enabled: bool = True) -> None:
        super().__init__(
            discord.ui.Button(label=label, custom_id=f"positions:{kind}:{number}", disabled=not is_enabled)
        )
        self._number = number

    @classmethod
    async def from_custom_id(
        cls,
        interaction: Asked,  # noqa: ARG003 - discord.py's signature
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        label = item.label if isinstance(item, discord.ui.Button) else None
        return cls(match["kind"], int(match["number"]), label=label or "")

    async def callback(self, interaction: Asked) -> None:
        cog = interaction.client.get_cog(PositionCommands.__name__)
        if isinstance(cog, PositionCommands):
            await cog.turn_to(interaction, self._number)


def page(view: TraderView, style: Style, *, number: int) -> Answer:
    """Return one page of the open positions, the last where there are fewer than ``number``."""
    pages = positions_pages(view, style)
    number = min(max(1, number), len(pages))
    embed, language = pages[number - 1], style.language
    if len(pages) > 1:
        place = text("positions.page", language, page=number, pages=len(pages))
        embed.set_footer(text=f"{embed.footer.text} · {place}")
    buttons = discord.ui.View(timeout=None)
    if len(pages) > 1:
        turns = (("previous", number - 1, number > 1), ("next", number + 1, number < len(pages)))
        for kind, to, is_enabled in turns:
            label = text(f"positions.{kind}", language)
            buttons.add_item(PageButton(kind, to, label=label, is_enabled=is_enabled))
    buttons.add_item(PageButton("refresh", number, label=text("positions.refresh", language)))
    return Answer(embed, buttons)
