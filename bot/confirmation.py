"""Questions asked back before something grave is done; the answer counts for a minute, once."""

import re
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import discord

from bot.catalogue import Language, text
from bot.desk import Asked
from core.operation import OperatorAction
from core.positions import Source

EXPIRES_AFTER_SECONDS = 60

_MILLISECONDS_FROM = 22  # the bits of a Discord number from here up count milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asked for, by the number of the interaction in which they did."""

    action: OperatorAction
    asked: int
    source: Source = Source.REAL
    symbol: str = ""

    def is_expired(self, pressed: int) -> bool:
        """Tell whether the answer came too late: the numbers of interactions carry Discord's time."""
        waited_ms = (pressed >> _MILLISECONDS_FROM) - (self.asked >> _MILLISECONDS_FROM)
        return not 0 <= waited_ms <= EXPIRES_AFTER_SECONDS * 1000


class Asker(Protocol):
    """Who is told the answer; see ``bot.steering``."""

    async def answered(self, interaction: Asked, wish: Wish, *, is_yes: bool) -> None: ...


class ConfirmButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"steer:(?P<answer>yes|no):(?P<action>\w+):(?P<source>\w+):(?P<symbol>\w*):(?P<asked>\d+)",
):
    """A button that carries its wish in its id, so that a restart in between does not matter."""

    def __init__(self, wish: Wish, *, is_yes: bool, label: str = "") -> None:
        answer = "yes" if is_yes else "no"
        super().__init__(
            discord.ui.Button(
                label=label,
                style=discord.ButtonStyle.danger if is_yes else discord.ButtonStyle.secondary,
                custom_id=f"steer:{answer}:{wish.action}:{wish.source}:{wish.symbol}:{wish.asked}",
            )
        )
        self._wish = wish
        self._is_yes = is_yes

    @classmethod
    async def from_custom_id(
        cls,
        interaction: Asked,  # noqa: ARG003 - discord.py's signature
        item: discord.ui.Item[Any],  # noqa: ARG003 - discord.py's signature
        match: re.Match[str],
        /,
    ) -> Self:
        wish = Wish(
            action=OperatorAction(match["action"]),
            source=Source(match["source"]),
            symbol=match["symbol"],
            asked=int(match["asked"]),
        )
        return cls(wish, is_yes=match["answer"] == "yes")

    async def callback(self, interaction: Asked) -> None:
        asker = cast(Asker | None, interaction.client.get_cog("SteeringCommands"))
        if asker is not None:
            await asker.answered(interaction, self._wish, is_yes=self._is_yes)


def question(wish: Wish, words: str, language: Language) -> tuple[str, discord.ui.View]:
    """Return what to ask, with a button for each answer."""
    buttons = discord.ui.View(timeout=None)
    buttons.add_item(ConfirmButton(wish, is_yes=True, label=text("steer.confirm", language)))
    buttons.add_item(ConfirmButton(wish, is_yes=False, label=text("steer.cancel", language)))
    within = text("steer.within", language, seconds=EXPIRES_AFTER_SECONDS)
    return f"{words}\n{within}", buttons
