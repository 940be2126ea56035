"""How every question is answered: who may ask, in which language, and who may see the answer.

Rights are decided by numeric ids, in code, on every command and button. Discord's own permissions are only
what its interface shows; names can be copied, ids can not.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import discord

from bot.catalogue import language_of, text
from bot.layout import Style
from bot.options import DiscordOptions
from core.views import TraderView

_log = logging.getLogger(__name__)

Read = Callable[[], TraderView]
Asked = discord.Interaction[Any]


class Answer(NamedTuple):
    """What one message shows: an embed, and buttons where there is more."""

    embed: discord.Embed
    view: discord.ui.View | None = None


Render = Callable[[TraderView, Style], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The one place where interactions are checked and answered."""

    read: Read
    options: DiscordOptions

    def may_read(self, asked: Asked) -> bool:
        """Say whether this comes from our own server: not from another one, not from a direct message."""
        return self.options.guild_id is not None and asked.guild_id == self.options.guild_id

    def may_act(self, asked: Asked) -> bool:
        """Say whether an owner asks in our own server. Without owners in the settings nobody may act."""
        return self.may_read(asked) and asked.user.id in self.options.owner_ids

    def may_steer(self, asked: Asked) -> bool:
        """Say whether an owner asks in the channel we post to, where the settings name one."""
        channel_id = self.options.channel_id
        return self.may_act(asked) and channel_id in {None, asked.channel_id}

    async def lets_steer(self, asked: Asked) -> bool:
        """Say whether the asker may steer, and tell them why not; who was refused stands in the log."""
        if self.may_steer(asked):
            return True
        _log.warning("Refused to be steered by user %s in channel %s", asked.user.id, asked.channel_id)
        if not self.may_read(asked):
            await self.tell(asked, "refusal.elsewhere")
        else:
            await self.tell(asked, "refusal.channel" if self.may_act(asked) else "refusal.owners_only")
        return False

    def style_for(self, asked: Asked) -> Style:
        """Write in the asker's language where we have it."""
        return self.options.style(language_of(asked.locale.value, self.options.language))

    async def answer(self, asked: Asked, render: Render, *, share: bool = False) -> None:
        """Answer the asker alone; everyone, where an owner wishes to share."""
        is_public = share and self.may_act(asked)
        await asked.response.defer(ephemeral=not is_public, thinking=True)
        style = self.style_for(asked)
        embed, view = render(self.read(), style)
        await asked.followup.send(
            discord.utils.MISSING if is_public or not share else text("refusal.share", style.language),
            embed=embed,
            view=view or discord.utils.MISSING,
            ephemeral=not is_public,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    async def turn(self, asked: Asked, render: Render) -> None:
        """Replace the message whose button was pressed by a fresh answer."""
        embed, view = render(self.read(), self.style_for(asked))
        await asked.response.edit_message(embed=embed, view=view)

    async def tell(self, asked: Asked, key: str, **values: object) -> None:
        """Say one sentence to the asker alone, in the asker's language."""
        words = text(key, self.style_for(asked).language, **values)
        if asked.response.is_done():
            await asked.followup.send(words, ephemeral=True)
            return
        await asked.response.send_message(words, ephemeral=True)
