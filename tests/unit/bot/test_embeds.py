"""Notices as people see them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.catalogue import Language
from bot.embeds import notice_embed
from bot.layout import Style, Tone, UpColour
from core.notices import Alert, PositionEnded, PositionOpened, Severity, SignalRefused
from core.positions import ExitReason, Source
from core.signals import Factor, Side
from tests.builders import T0, candidate, closed_position, fill, instrument, plan, position, ranked

ENGLISH = Style(language=Language.EN, mode="paper")


def values_of(embed: object) -> dict[str, str]:
    return {field.name: field.value for field in embed.fields}  # type: ignore[attr-defined]


def ended(**how: object) -> PositionEnded:
    return PositionEnded(position=closed_position(**how), day_pnl=Decimal("-3.2"), at=T0)  # type: ignore[arg-type]


def test_an_entry_names_its_levels_size_and_risk() -> None:
    embed = notice_embed(PositionOpened(position=position(), at=T0), ENGLISH)
    assert embed.title == "🟢 ▲ LONG SOLUSDT · confidence 70"
    assert embed.description == (
        "Entry **100.00**\nStop **99.00** (−1.00%)\nTarget **101.00** (+1.00%) · reward/risk 1.00"
    )
    values = values_of(embed)
    assert values["Margin"] == "333.33 USDT · 3x isolated"
    assert values["Size"] == "10 SOL ≈ 1,000.00 USDT"
    assert values["Loss at stop, before costs"] == "−10.00 USDT"
    assert "not a promise" in values["Outlook"]
    assert f"<t:{T0 // 1000}:R>" in values["Outlook"]


def test_an_entry_without_a_resting_stop_says_so() -> None:
    bare = replace(position(), stop=None)
    embed = notice_embed(PositionOpened(position=bare, at=T0), ENGLISH)
    assert (embed.description or "").endswith("⚠️ **No stop rests at the exchange.**")


def test_an_entry_shows_what_was_filled_not_what_was_planned() -> None:
    intent = plan()
    slipped = replace(position(intent), fills=(fill(intent, price=Decimal("100.50")),))
    embed = notice_embed(PositionOpened(position=slipped, at=T0), ENGLISH)
    assert "Entry **100.50**" in (embed.description or "")
    assert values_of(embed)["Loss at stop, before costs"] == "−15.00 USDT"


def test_an_entry_explains_itself_the_strongest_factor_first() -> None:
    factors = (
        Factor(name="macd", grade=0.5, weight=10, reason="why.macd", numbers=(("macd_15m_atr", 0.123),)),
        Factor(name="volume", grade=1.0, weight=25, reason="why.volume", numbers=(("volume_rank", 0.9),)),
    )
    wish = replace(candidate(), factors=factors)
    embed = notice_embed(PositionOpened(position=position(plan(ranked(wish))), at=T0), ENGLISH)
    assert values_of(embed)["Why"] == (
        "`25/25` **Volume** more volume than 90% of recent bars\n"
        "` 5/10` **MACD** 15m MACD histogram +0.12 ATR"
    )


def test_a_short_points_down_and_its_target_lies_below() -> None:
    short = position(plan(ranked(candidate(side=Side.SHORT))))
    embed = notice_embed(PositionOpened(position=short, at=T0), ENGLISH)
    assert (embed.title or "").startswith("🔴 ▼ SHORT")
    assert "Stop **101.00** (+1.00%)" in (embed.description or "")
    assert "Target **99.00** (−1.00%)" in (embed.description or "")


def test_colours_follow_the_readers_convention_and_signs_stay() -> None:
    taiwanese = replace(ENGLISH, up=UpColour.RED)
    western, eastern = (notice_embed(ended(gross_r=1.0), style) for style in (ENGLISH, taiwanese))
    assert western.colour != eastern.colour
    assert (western.title, eastern.title) == (
        "🟢 Closed ▲ LONG SOLUSDT · won +1.00R",
        "🔴 Closed ▲ LONG SOLUSDT · won +1.00R",
    )


def test_a_close_counts_every_cost() -> None:
    how = {"gross_r": -1.0, "costs": "1.9", "funding": "-0.1", "reason": ExitReason.STOP}
    embed = notice_embed(ended(**how), ENGLISH)
    assert embed.title == "🔴 Closed ▲ LONG SOLUSDT · lost −1.20R"
    assert embed.description == (
        "Net **−12.00 USDT**\nGross −10.00 USDT · fees −1.90 USDT · funding −0.10 USDT"
    )
    values = values_of(embed)
    assert values["Why it closed"] == "stop loss"
    assert values["Entry → exit"] == "100.00 → 99.00"
    assert values["Held"] == "1h 0m"
    assert values["Realised today (real)"] == "−3.20 USDT"


@pytest.mark.parametrize(
    ("net_r", "word", "tone"),
    [(0.11, "won", Tone.UP), (0.1, "even", Tone.FLAT), (-0.1, "even", Tone.FLAT), (-0.11, "lost", Tone.DOWN)],
)
def test_within_a_tenth_of_r_nothing_was_won_or_lost(net_r: float, word: str, tone: Tone) -> None:
    embed = notice_embed(ended(gross_r=net_r), ENGLISH)
    assert f"· {word} " in (embed.title or "")
    assert embed.colour is not None
    assert embed.colour.value == ENGLISH.colour(tone)


def test_a_virtual_position_says_so_in_title_and_footer_and_leaves_the_day_alone() -> None:
    embed = notice_embed(ended(intent=plan(source=Source.VIRTUAL)), ENGLISH)
    assert "(virtual)" in (embed.title or "")
    assert embed.footer.text == "PAPER · virtual · test"
    assert "Realised today (real)" not in values_of(embed)


def test_prices_of_small_coins_keep_their_digits() -> None:
    contract = instrument("1000PEPEUSDT", tick="0.0000001")
    wish = candidate("1000PEPEUSDT", price=0.0123456)
    embed = notice_embed(
        PositionOpened(position=position(plan(ranked(wish), contract=contract)), at=T0), ENGLISH
    )
    assert "Entry **0.0123456**" in (embed.description or "")


def test_a_refusal_lists_the_decisive_reason_first() -> None:
    notice = SignalRefused(signal=ranked(), reasons=("day_loss", "no_room"), at=T0)
    embed = notice_embed(notice, ENGLISH)
    assert embed.title == "Not entered: ▲ LONG SOLUSDT · confidence 70"
    assert embed.description == "• could exceed the day's loss limit\n• no slot free"


def test_an_alert_speaks_the_readers_language_and_translates_the_reason_it_carries() -> None:
    alert = Alert(key="risk_halted", severity=Severity.CRITICAL, at=T0, text="drawdown")
    embed = notice_embed(alert, Style(language=Language.ZH_TW, mode="live"))
    assert embed.title == "⛔ 已停止新進場"
    assert embed.description == "回撤達到上限，需人工恢復"
    assert embed.footer.text == "LIVE · 緊急"


def test_words_from_elsewhere_can_not_shout_through_an_alert() -> None:
    alert = Alert(
        key="foreign_fill", severity=Severity.WARNING, at=T0, symbol="@everyone", text="**hi** @here"
    )
    embed = notice_embed(alert, ENGLISH)
    assert "@everyone" not in (embed.title or "")
    assert embed.description == "\\*\\*hi\\*\\* @\u200bhere"
