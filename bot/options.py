"""What the Discord front needs to know to start; made from the settings at wiring."""

from dataclasses import dataclass, field

from bot.catalogue import Language
from bot.layout import Style, UpColour
from core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordOptions:
    """Who we are, where we speak, and who may do what.

    Without ``guild_id`` no command is registered, without ``channel_id`` nothing is posted.
    ``api_url`` and ``gateway_url`` stay empty for Discord itself and name another server for rehearsals.
    """

    token: str = field(repr=False)
    guild_id: int | None = None
    channel_id: int | None = None
    owner_ids: frozenset[int] = frozenset()
    mode: str = "sim"
    language: Language = Language.ZH_TW
    up: UpColour = UpColour.GREEN
    api_url: str = ""
    gateway_url: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "DiscordOptions | None":
        """Take what concerns Discord from the settings; ``None`` where no token is set."""
        if settings.discord_token is None:
            return None
        return cls(
            token=settings.discord_token.get_secret_value(),
            guild_id=settings.discord_guild_id,
            channel_id=settings.discord_channel_id,
            owner_ids=settings.discord_owner_ids,
            mode=settings.mode.value,
            language=Language(settings.language),
            up=UpColour(settings.up_colour),
            api_url=settings.discord_api_url or "",
            gateway_url=settings.discord_gateway_url or "",
        )

    def style(self, language: Language | None = None) -> Style:
        """Return how to write, in our own language unless the reader's is known."""
        return Style(language=language or self.language, mode=self.mode, up=self.up)
