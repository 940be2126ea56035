"""A running Discord front with a picture to read, an inbox to fill and a local Discord to talk to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.catalogue import Language
from bot.client import run_bot
from bot.notifier import DiscordNotifier
from bot.options import DiscordOptions
from bot.trade_chart import TradeChart
from core.clock import ManualClock
from core.operation import OperatorRequest
from core.views import TraderView
from services.operator import Operator
from tests.builders_view import trader_view
from tests.fakes.discord_payloads import CHANNEL_ID, GUILD_ID, OWNER_ID
from tests.fakes.discord_server import TOKEN, DiscordServer


@dataclass
class Front:
    """What the front reads, what it is told, what it wishes, and the server it talks to."""

    server: DiscordServer
    notifier: DiscordNotifier
    task: asyncio.Task[None]
    clock: ManualClock
    wishes: list[OperatorRequest]
    view: list[TraderView] = field(default_factory=lambda: [trader_view()])

    def show(self, view: TraderView) -> None:
        self.view[:] = [view]


@asynccontextmanager
async def running(
    server: DiscordServer, *, token: str = TOKEN, picture: TradeChart | None = None, may_steer: bool = True
) -> AsyncIterator[Front]:
    """Run the front until the block ends, and see that it ends cleanly."""
    options = DiscordOptions(
        token=token,
        guild_id=GUILD_ID,
        channel_id=CHANNEL_ID,
        owner_ids=frozenset({OWNER_ID}),
        language=Language.ZH_TW,
        api_url=server.rest,
        gateway_url=server.gateway,
    )
    clock = ManualClock()
    notifier = DiscordNotifier(options.style(), clock=clock, picture=lambda _: picture)
    view, wishes = [trader_view()], list[OperatorRequest]()
    operator = Operator(wishes.append) if may_steer else None
    task = asyncio.create_task(
        run_bot(options, read=lambda: view[0], notifier=notifier, clock=clock, operator=operator)
    )
    try:
        yield Front(server=server, notifier=notifier, task=task, clock=clock, wishes=wishes, view=view)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
