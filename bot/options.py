"""What the Discord front needs to know to start; made from the settings at wiring."""

from dataclasses import dataclass, field

from bot.catalogue import Language
from bot.layout import Style, UpColour


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordOptions:
    """Who we are, where we speak, and who may do what.

    Without ``guild_id`` no command is registered, without ``channel_id`` nothing is posted.
    ``rest`` and ``gateway`` stay empty for Discord itself and name another server for tests and rehearsals.
    """

    token: str = field(repr=False)
    guild_id: int | None = None
    channel_id: int | None = None
    owner_ids: frozenset[int] = frozenset()
    mode: str = "sim"
    language: Language = Language.ZH_TW
    up: UpColour = UpColour.GREEN
    rest: str = ""
    gateway: str = ""

    def style(self, language: Language | None = None) -> Style:
        """Return how to write, in our own language unless the reader's is known."""
        return Style(language=language or self.language, mode=self.mode, up=self.up)
