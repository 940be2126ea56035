"""Notices posted to one Discord channel, by a task of its own that trading never waits for."""

import asyncio
import io
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import aiohttp
import discord

from bot.catalogue import text
from bot.charts import draw_trade
from bot.embeds import notice_embed
from bot.layout import EMBEDS_A_MESSAGE, TITLE_LIMIT, Style, clip, escaped, fits_beside
from bot.outbox import Outbox
from bot.trade_chart import TradeChart
from core.clock import Clock
from core.notices import Notice, PositionEnded, PositionOpened, SignalRefused
from core.positions import Source

_log = logging.getLogger(__name__)

Picture = Callable[[Notice], TradeChart | None]
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 120.0  # seconds between attempts while Discord refuses
_BAD_REQUEST = 400


class _Waiting(NamedTuple):
    """A notice on its way, by its number in the outbox."""

    number: int
    notice: Notice
    embed: discord.Embed


class DiscordNotifier:
    """Takes notices at once and posts them when Discord will have them.

    ``picture`` may give the chart of a notice; it is asked in the event loop just before posting, the
    drawing happens in a thread. Refused signals are posted only where ``tell_refusals``.
    """

    def __init__(
        self,
        style: Style,
        *,
        clock: Clock,
        picture: Picture | None = None,
        tell_refusals: bool = False,
        capacity: int = 256,
    ) -> None:
        self._style = style
        self._clock = clock
        self._picture = picture
        self._tell_refusals = tell_refusals
        self._outbox = Outbox(capacity)
        self._together = EMBEDS_A_MESSAGE
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def notify(self, notice: Notice) -> None:
        """Queue a notice; returns at once, whatever Discord does."""
        if not self._is_told(notice):
            return
        self._outbox.put(notice)
        self._empty.clear()
        self._arrived.set()

    async def drained(self) -> None:
        """Wait until everything has been posted; the caller decides for how long."""
        await self._empty.wait()

    async def deliver(self, channel: discord.abc.Messageable) -> None:
        """Post to ``channel`` until cancelled; what Discord refuses is tried again, ever more slowly."""
        pause = _FIRST_PAUSE
        while True:
            await self._arrived.wait()
            try:
                await self._post_some(channel)
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                _log.warning("Discord refused a notice (%s); trying again in %.0f s", error, pause)
                await self._clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            if not self._outbox:
                self._together = EMBEDS_A_MESSAGE
                self._arrived.clear()
                self._empty.set()

    def _is_told(self, notice: Notice) -> bool:
        match notice:
            case SignalRefused():
                return self._tell_refusals
            case PositionOpened() | PositionEnded():
                return notice.position.plan.source is not Source.TWIN
            case _:
                return True

    async def _post_some(self, channel: discord.abc.Messageable) -> None:
        """Post the oldest notices as one message, as many as fit into it."""
        batch = self._batch()
        dropped = self._outbox.dropped
        try:
            await channel.send(
                text("outbox.dropped", self._style.language, count=dropped) if dropped else None,
                embeds=[each.embed for each in batch],
                files=await self._illustrate(batch),
                allowed_mentions=discord.AllowedMentions.none(),
            )
        except discord.HTTPException as error:
            if error.status != _BAD_REQUEST:
                raise
            # Discord will never take this message: keeping it would hold up all that follow.
            if len(batch) > 1:
                self._together = 1  # one of them is at fault: send each alone and lose only that one
                return
            _log.error("Discord can not read a message of ours and it is lost: %s", error)
        self._outbox.taken([each.number for each in batch], confessed=dropped)

    def _batch(self) -> Sequence[_Waiting]:
        batch: list[_Waiting] = []
        for number, notice in self._outbox.head(self._together).items():
            embed = self._embed(notice)
            if batch and not fits_beside(embed, [each.embed for each in batch]):
                break
            batch.append(_Waiting(number, notice, embed))
        return batch

    def _embed(self, notice: Notice) -> discord.Embed:
        try:
            return notice_embed(notice, self._style)
        except Exception:  # noqa: BLE001 - a mistake in the wording must not silence the news, nor what waits behind it
            _log.exception("A notice could not be written properly")
            return discord.Embed(title=clip(escaped(repr(notice)), TITLE_LIMIT))

    async def _illustrate(self, batch: Sequence[_Waiting]) -> list[discord.File]:
        """Draw the charts there are, attach each to its embed, and return the files."""
        files: list[discord.File] = []
        for number, notice, embed in batch:
            png = await self._drawn(notice)
            if png is not None:
                files.append(discord.File(io.BytesIO(png), filename=f"trade-{number}.png"))
                embed.set_image(url=f"attachment://trade-{number}.png")
        return files

    async def _drawn(self, notice: Notice) -> bytes | None:
        try:
            chart = self._picture(notice) if self._picture else None
            return await asyncio.to_thread(draw_trade, chart, up=self._style.up) if chart else None
        except Exception:  # noqa: BLE001 - the words go out without the picture
            _log.exception("A chart could not be drawn")
            return None
