"""The notifier takes everything at once and never raises into the trader."""

import asyncio
from typing import Any

import pytest

from bot.catalogue import Language
from bot.layout import Style
from bot.notifier import DiscordNotifier
from bot.trade_chart import TradeChart
from core.clock import ManualClock
from core.notices import Alert, Notice, PositionOpened, Severity, SignalRefused
from core.ports import Notifier
from core.positions import Source
from tests.builders import T0, plan, position, ranked

STYLE = Style(language=Language.EN, mode="sim")
ALARM = Alert(key="risk_halted", severity=Severity.CRITICAL, at=T0)


class Channel:
    """Keeps what is sent to it; refuses as often as it is told to."""

    def __init__(self, refusals: int = 0) -> None:
        self.sent: list[dict[str, Any]] = []
        self._refusals = refusals

    async def send(self, content: str | None, **message: Any) -> None:
        if self._refusals:
            self._refusals -= 1
            raise ConnectionResetError("gone")
        self.sent.append({"content": content, **message})

    @property
    def titles(self) -> list[str]:
        return [embed.title for message in self.sent for embed in message["embeds"]]


async def delivered(notifier: DiscordNotifier, channel: Channel) -> None:
    """Deliver until nothing waits."""
    task = asyncio.create_task(notifier.deliver(channel))  # type: ignore[arg-type]
    try:
        await asyncio.wait_for(notifier.drained(), 5)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def notifier() -> DiscordNotifier:
    return DiscordNotifier(STYLE, clock=ManualClock(), capacity=3)


async def test_it_is_a_notifier(notifier: DiscordNotifier) -> None:
    port: Notifier = notifier
    port.notify(ALARM)


async def test_notices_before_discord_is_there_are_kept(notifier: DiscordNotifier) -> None:
    notifier.notify(ALARM)
    channel = Channel()
    await delivered(notifier, channel)
    assert channel.titles == ["⛔ No new entries"]


async def test_a_lost_connection_loses_no_notice(notifier: DiscordNotifier) -> None:
    notifier.notify(ALARM)
    channel = Channel(refusals=4)
    await delivered(notifier, channel)
    assert len(channel.sent) == 1


async def test_what_was_dropped_is_confessed_with_the_next_message(notifier: DiscordNotifier) -> None:
    for _ in range(5):
        notifier.notify(ALARM)
    channel = Channel()
    await delivered(notifier, channel)
    assert channel.sent[0]["content"].startswith("2 older notices were dropped")


async def test_twins_and_refusals_are_not_news_unless_wanted() -> None:
    refused = SignalRefused(signal=ranked(), reasons=("no_room",), at=T0)
    twin = PositionOpened(position=position(plan(source=Source.TWIN)), at=T0)
    quiet = DiscordNotifier(STYLE, clock=ManualClock())
    talkative = DiscordNotifier(STYLE, clock=ManualClock(), tell_refusals=True)
    told = Channel()
    for notice in (refused, twin):
        quiet.notify(notice)
        talkative.notify(notice)
    await asyncio.wait_for(quiet.drained(), 1)
    await delivered(talkative, told)
    assert told.titles == ["Not entered: ▲ LONG SOLUSDT · confidence 70"]


async def test_a_picture_that_fails_does_not_cost_the_words(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Notice) -> TradeChart | None:
        raise LookupError("no candles kept")

    notifier = DiscordNotifier(STYLE, clock=ManualClock(), picture=broken)
    notifier.notify(ALARM)
    channel = Channel()
    await delivered(notifier, channel)
    assert len(channel.titles) == 1
    assert "A chart could not be drawn" in caplog.text


async def test_a_notice_that_can_not_be_rendered_still_arrives(caplog: pytest.LogCaptureFixture) -> None:
    notifier = DiscordNotifier(STYLE, clock=ManualClock())
    notifier.notify(Alert(key="x", severity="unheard of", at=T0))  # type: ignore[arg-type]
    notifier.notify(ALARM)
    channel = Channel()
    await delivered(notifier, channel)
    assert channel.titles[0].startswith("Alert(")
    assert channel.titles[1] == "⛔ No new entries"


async def test_nobody_is_ever_mentioned(notifier: DiscordNotifier) -> None:
    notifier.notify(ALARM)
    channel = Channel()
    await delivered(notifier, channel)
    assert channel.sent[0]["allowed_mentions"].to_dict() == {"parse": []}
