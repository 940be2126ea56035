"""Discord beside a trader: whatever becomes of it, trading goes on."""

import asyncio
from contextlib import suppress

from bot.client import run_bot
from bot.desk import Read
from bot.notifier import DiscordNotifier, Picture
from bot.options import DiscordOptions
from core.clock import Clock
from core.settings import Settings
from services.operator import Operator

LAST_WORDS_SECONDS = 5.0


class DiscordFront:
    """The bot and its notifier as one thing to wire."""

    def __init__(self, options: DiscordOptions, *, clock: Clock, picture: Picture) -> None:
        self._options = options
        self._clock = clock
        self.notifier = DiscordNotifier(options.style(), clock=clock, picture=picture)

    @classmethod
    def of(cls, settings: Settings, *, clock: Clock, picture: Picture) -> "DiscordFront | None":
        """Make the front; ``None`` where no token is set."""
        options = DiscordOptions.of(settings)
        return None if options is None else cls(options, clock=clock, picture=picture)

    async def run(self, read: Read, operator: Operator | None = None) -> None:
        """Run until cancelled, even when Discord will have nothing of us; then let the last messages out.

        Owners steer the trader through ``operator``.
        """
        bot = asyncio.create_task(
            run_bot(self._options, read=read, notifier=self.notifier, clock=self._clock, operator=operator)
        )
        try:
            await asyncio.shield(bot)
            await asyncio.Event().wait()
        finally:
            if not bot.done():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_SECONDS):
                        await self.notifier.drained()
            bot.cancel()
            await asyncio.gather(bot, return_exceptions=True)
