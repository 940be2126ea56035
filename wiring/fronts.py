"""What people see of a run, made of the bot's pictures and its Discord front."""

from collections.abc import Callable, Sequence

from bot.charts import draw_trade
from bot.front import DiscordFront
from bot.layout import UpColour
from bot.structure_chart import draw_structure
from bot.structures import StructureChart
from bot.trade_chart import TradeChart
from core.clock import Clock
from core.notices import Notice, PositionEnded
from core.settings import Settings
from services.chronicle import Chronicle
from services.highlights import Highlight, Highlights
from strategies.ict_smc.explanation import Explanation


def discord_front(settings: Settings, clock: Clock, highlights: Highlights) -> DiscordFront | None:
    """Make the Discord front, with a picture of each closed trade; ``None`` without a token."""

    def picture(notice: Notice) -> TradeChart | None:
        highlight = highlights.around(notice.position) if isinstance(notice, PositionEnded) else None
        return _chart(highlight) if highlight else None

    return DiscordFront.of(settings, clock=clock, picture=picture)


def trade_drawer(settings: Settings) -> Callable[[Highlight], bytes]:
    """Return who draws a closed trade as a PNG."""
    return lambda highlight: draw_trade(_chart(highlight), up=UpColour(settings.up_colour))


def structure_drawer(settings: Settings) -> Callable[[Chronicle, Sequence[Explanation]], bytes]:
    """Return who draws a symbol's structures as a PNG."""
    up = UpColour(settings.up_colour)
    return lambda told, sides: draw_structure(StructureChart.of(told, sides), up=up)


def _chart(highlight: Highlight) -> TradeChart:
    return TradeChart.of(highlight.position, candles=highlight.candles, open_times=highlight.open_times)
