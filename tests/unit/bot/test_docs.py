"""The examples in docs/discord.md are what the program writes."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from bot.catalogue import Language
from bot.embeds import notice_embed
from bot.layout import Style, plain
from core.notices import Notice, PositionEnded, PositionOpened
from core.positions import ExitReason, Position, PositionPlan, Stage
from core.signals import Factor
from tests.builders import MINUTE, T0, candidate, fill, plan, position, ranked

DOCUMENT = Path(__file__).parents[3] / "docs" / "discord.md"
STYLE = Style(language=Language.EN, mode="sim")

FACTORS = (
    Factor(
        name="structure",
        grade=0.88,
        weight=25,
        reason="why.structure",
        numbers=(("msb_strength", 2.1), ("structure_agreement", 0.875)),
    ),
    Factor(
        name="order_block",
        grade=0.85,
        weight=20,
        reason="why.order_block",
        numbers=(("block_displacement", 2.4), ("block_visits", 1), ("block_height_atr", 0.7)),
    ),
    Factor(
        name="trend",
        grade=0.8,
        weight=15,
        reason="why.trend",
        numbers=(("trend_distance_atr", 1.4), ("trend_slope_atr", 0.031)),
    ),
)


def intent() -> PositionPlan:
    wish = candidate(price=152.21, stop_distance=0.006, reward_risk=1.5, confidence=85.0)
    wish = replace(wish, strategy="ict_smc", factors=FACTORS)
    return plan(ranked(wish, leverage=5, expected_net_r=-0.07), quantity="40")


def closed() -> Position:
    bought, target = intent(), intent().targets[0].price
    end = T0 + 78 * MINUTE
    return Position(
        plan=bought,
        stage=Stage.CLOSED,
        fills=(
            fill(bought, price=bought.entry, fee="3.0442"),
            fill(bought, price=target, opening=False, fee="3.0716", at=end),
        ),
        exit_reason=ExitReason.TARGET,
        opened_at=T0,
        closed_at=end,
        favourable=target,
        adverse=Decimal("152.12"),
    )


def example(name: str) -> str:
    found = re.search(
        rf"<!-- example: {name} -->\n```\n(.*?)\n```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    return found[1]


def written(notice: Notice) -> str:
    return re.sub(r"<t:\d+:R>", "2 minutes ago", plain(notice_embed(notice, STYLE)))


def test_the_documented_entry_is_what_is_written() -> None:
    assert example("entry") == written(PositionOpened(position=position(intent()), at=T0))


def test_the_documented_close_is_what_is_written() -> None:
    notice = PositionEnded(position=closed(), day_pnl=Decimal("12.40"), at=T0 + 78 * MINUTE)
    assert example("close") == written(notice)
