"""Answers to people who ask."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.catalogue import Language
from bot.layout import Style
from bot.panels import POSITIONS_A_PAGE, balance_embed, positions_pages, stats_embed, verdict
from core.positions import Protection, Source, Stage
from core.risk_state import Ban
from core.views import Performance
from tests.builders import MINUTE, T0, candidate, plan, position, ranked
from tests.builders_view import balance_view, performance, position_view, scan_view, trader_view
from tests.fakes.discord_payloads import refusals_of_message

ENGLISH = Style(language=Language.EN, mode="sim")


def test_real_positions_come_before_virtual_ones_and_each_says_which_it_is() -> None:
    virtual = position(plan(ranked(candidate("AUSDT")), source=Source.VIRTUAL))
    view = trader_view(real=(position_view(),), virtual=(position_view(virtual),))
    [page] = positions_pages(view, ENGLISH)
    assert page.title == "Positions · 1 real · 1 virtual"
    names = [field.name for field in page.fields]
    assert names == ["▲ LONG SOLUSDT 3x · +0.50R", "▲ LONG AUSDT (virtual) 3x · +0.50R"]
    assert page.description == "Unrealised on real positions **+5.00 USDT**"


def test_many_positions_are_paged_and_none_is_lost() -> None:
    many = tuple(position_view(position(plan(ranked(candidate(f"S{n}USDT"))))) for n in range(40))
    pages = positions_pages(trader_view(real=many), ENGLISH)
    assert [len(page.fields) for page in pages] == [POSITIONS_A_PAGE] * 6 + [4]
    assert not any(refusals_of_message({"embeds": [page.to_dict()]}) for page in pages)


def test_nothing_open_is_said_in_words() -> None:
    [page] = positions_pages(trader_view(), ENGLISH)
    assert page.description == "No open positions."


def test_an_unprotected_position_and_one_in_between_stand_out() -> None:
    bare = replace(position(), stop=None)
    moving = position(stage=Stage.PROTECTING)
    [page] = positions_pages(trader_view(real=(position_view(bare), position_view(moving))), ENGLISH)
    assert "⚠️ stop not confirmed yet" in (page.fields[0].value or "")
    assert "⏳ placing stop and target" in (page.fields[1].value or "")


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.EN, "Stop ⚠️ **none rests**"), (Language.ZH_TW, "未掛出"), (Language.ZH_CN, "未挂出")],
)
def test_a_stop_is_shown_only_where_one_rests(language: Language, words: str) -> None:
    unconfirmed = replace(position(), stop=Protection(client_order_id="s", trigger_price=Decimal("99.25")))
    view = trader_view(real=tuple(position_view(each) for each in (unconfirmed, position())))
    bare, safe = positions_pages(view, Style(language=language, mode="sim"))[0].fields
    assert words in (bare.value or "")
    assert "99.25" not in (bare.value or "")
    assert words not in (safe.value or "")
    assert "99.00" in (safe.value or "")


def test_a_halt_is_the_first_line_of_every_answer_and_an_operators_words_are_kept() -> None:
    view = trader_view(halted="going on holiday", balance=balance_view())
    answers = [positions_pages(view, ENGLISH)[0], balance_embed(view, ENGLISH), stats_embed(view, ENGLISH)]
    for embed in answers:
        assert (embed.description or "").startswith("⛔ No new entries: going on holiday")


def test_what_keeps_real_entries_out_for_a_while_is_the_first_line_of_every_answer() -> None:
    ban = Ban(reason="stops_in_a_row", until=T0 + MINUTE)
    view = replace(trader_view(balance=balance_view()), barred=ban)
    for embed in (
        positions_pages(view, ENGLISH)[0],
        balance_embed(view, ENGLISH),
        stats_embed(view, ENGLISH),
    ):
        assert (embed.description or "").startswith("⏸ No new real entries: several stops within an hour")
        assert f"<t:{ban.until // 1000}:R>" in (embed.description or "")


def test_a_balance_never_read_is_not_shown_as_zero() -> None:
    embed = balance_embed(trader_view(balance=None), ENGLISH)
    assert "has not been read yet" in (embed.description or "")
    assert not embed.fields


def test_before_the_first_scan_progress_is_shown() -> None:
    assert "640 of 650" in (stats_embed(trader_view(), ENGLISH).description or "")
    scanned = stats_embed(trader_view(scan=scan_view()), ENGLISH).description or ""
    assert "650 contracts, 640 ready, 3 absent" in scanned


def test_unknown_numbers_are_dashes_not_zeros() -> None:
    results = Performance(closed=1, losses=1)
    embed = stats_embed(trader_view(results=results), ENGLISH)
    assert "win rate — · profit factor —" in (embed.fields[0].value or "")
    assert "Mean per trade —, 95% interval —" in (embed.fields[0].value or "")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (None, None, "Too few trades"),
        (-0.3, 0.2, "No evidence of edge"),
        (0.0, 0.2, "No evidence of edge"),
        (-0.2, 0.0, "No evidence of edge"),
        (0.01, 0.2, "not a promise"),
        (-0.2, -0.01, "loses money"),
    ],
)
def test_the_verdict_says_no_more_than_the_interval_allows(
    low: float | None, high: float | None, said: str
) -> None:
    assert said in verdict(performance(low=low, high=high), Language.EN)
