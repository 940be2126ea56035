"""The Discord front, run by the real discord.py against a local Discord."""

import asyncio
import logging
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from bot.trade_chart import TradeChart
from core.market import MINUTE_MS
from core.notices import Alert, PositionEnded, PositionOpened, Severity
from core.views import TwinGap
from tests.builders import T0, candidate, closed_position, plan, position, ranked
from tests.builders_view import balance_view, performance, position_view, trader_view
from tests.e2e.discord_front import Front, running
from tests.fakes.discord_payloads import CHANNEL_ID, Asker
from tests.fakes.discord_server import TOKEN, DiscordServer

TAIWAN = Asker(locale="zh-TW")
STRANGER = Asker(user_id=666, name="owner")  # the same name, another number


def alarm(text: str = "", severity: Severity = Severity.CRITICAL) -> Alert:
    return Alert(key="risk_halted", severity=severity, at=T0, text=text)


def opened() -> PositionOpened:
    return PositionOpened(position=position(), at=T0)


def ended(**how: object) -> PositionEnded:
    return PositionEnded(position=closed_position(costs="1.5"), day_pnl=Decimal("8.5"), at=T0)


def titles(server: DiscordServer) -> list[str]:
    return [embed["title"] for message in server.posted for embed in message.embeds]


# --- commands ---------------------------------------------------------------------------------------


async def test_commands_are_registered_in_the_one_server_in_three_languages(front: Front) -> None:
    by_name = {command["name"]: command for command in front.server.commands}
    reading, steering = {"positions", "balance", "stats"}, {"pause", "halt", "resume", "panic", "close"}
    assert set(by_name) == reading | steering
    assert by_name["panic"]["name_localizations"] == {"zh-TW": "緊急平倉", "zh-CN": "紧急平仓"}
    assert by_name["positions"]["name_localizations"] == {"zh-TW": "持倉", "zh-CN": "持仓"}
    assert by_name["stats"]["options"][0]["description_localizations"]["zh-CN"].startswith("让频道")


async def test_positions_are_answered_to_the_asker_alone_in_the_askers_language(front: Front) -> None:
    front.show(trader_view(real=(position_view(mark="100.50"),)))
    answer = await front.server.slash("positions", asker=TAIWAN)
    assert answer.was_deferred
    assert answer.is_ephemeral
    assert answer.embed["title"] == "持倉 · 真實 1 · 虛擬 0"
    [field] = answer.embed["fields"]
    assert field["name"] == "▲ 做多 SOLUSDT 3x · +0.50R"
    assert "進場 100.00 → 標記 100.50\n未實現 **+5.00 USDT**" in field["value"]


async def test_an_english_client_is_answered_in_english_and_others_in_our_own_language(front: Front) -> None:
    english = await front.server.slash("positions", asker=Asker(locale="en-GB"))
    french = await front.server.slash("positions", asker=Asker(locale="fr"))
    mainland = await front.server.slash("positions", asker=Asker(locale="zh-CN"))
    assert english.embed["description"] == "No open positions."
    assert french.embed["description"] == "目前沒有持倉。"
    assert mainland.embed["description"] == "当前没有持仓。"


async def test_balance_shows_the_account_and_how_far_below_its_peak_it_stands(front: Front) -> None:
    front.show(trader_view(balance=balance_view(equity="9876.50", peak="10000")))
    answer = await front.server.slash("balance")
    values = {field["name"]: field["value"] for field in answer.embed["fields"]}
    assert values["Equity"] == "9,876.50 USDT"
    assert values["Drawdown"] == "1.2% (peak 10,000.00 USDT)"
    assert values["Today"] == "−12.30 USDT"


async def test_stats_say_that_there_is_no_evidence_of_edge_when_zero_lies_inside(front: Front) -> None:
    front.show(trader_view(results=performance(low=-0.31, high=0.22)))
    answer = await front.server.slash("stats")
    real = answer.embed["fields"][0]["value"]
    assert "Net **−12.34 USDT** (gross −4.04 USDT · fees −8.10 USDT · funding −0.20 USDT)" in real
    assert "95% interval −0.31R … +0.22R" in real
    assert "No evidence of edge" in real


async def test_stats_show_the_gap_between_real_positions_and_their_twins_on_paper(front: Front) -> None:
    assert len((await front.server.slash("stats")).embed["fields"]) == 2
    gap = TwinGap(pairs=14, mean_r=-0.034, low=-0.081, high=0.013)
    front.show(replace(trader_view(), twin_gap=gap))
    answer = await front.server.slash("stats")
    assert answer.embed["fields"][2] == {
        "name": "Real against paper",
        "value": "−0.03R a trade on average over 14 pairs, 95% interval −0.08R … +0.01R",
        "inline": False,
    }


async def test_only_an_owner_can_share_an_answer_whatever_a_stranger_calls_himself(front: Front) -> None:
    shared = await front.server.slash("balance", share=True)
    kept = await front.server.slash("balance", asker=STRANGER, share=True)
    assert not shared.is_ephemeral
    assert kept.is_ephemeral
    assert "Only owners may share" in kept.content


@pytest.mark.fault(74)
@pytest.mark.parametrize("guild_id", [999, None], ids=["another server", "a direct message"])
async def test_nobody_is_answered_outside_our_server(front: Front, guild_id: int | None) -> None:
    front.show(trader_view(balance=balance_view()))
    answer = await front.server.slash("balance", asker=Asker(guild_id=guild_id))
    assert answer.content == "This command only works in its own server."
    assert answer.is_ephemeral
    assert not answer.body.get("embeds")


async def test_pages_turn_by_buttons_that_read_anew_and_check_who_presses(front: Front) -> None:
    held = tuple(position_view(position(plan(ranked(candidate(f"S{n}USDT"))))) for n in range(13))
    front.show(trader_view(real=held))
    first = await front.server.slash("positions")
    second = await front.server.press(first, "Next")
    assert second.replaced_message
    assert second.embed["footer"]["text"].endswith("Page 2 of 3")
    assert second.embed["fields"][0]["name"].startswith("▲ LONG S6USDT")
    front.show(trader_view(real=held[:1]))
    assert len((await front.server.press(second, "Next")).embed["fields"]) == 1
    refused = await front.server.press(second, "Next", asker=Asker(guild_id=999))
    assert refused.content == "This command only works in its own server."


async def test_a_command_that_fails_gets_a_calm_answer_with_a_reference(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    front.view.clear()
    answer = await front.server.slash("stats")
    assert "did not finish; trading is not affected" in answer.content
    assert "Traceback" not in answer.content
    assert "IndexError" in caplog.text


# --- notices ----------------------------------------------------------------------------------------


async def test_entries_and_closes_are_posted_as_embeds_that_mention_nobody(front: Front) -> None:
    front.notifier.notify(opened())
    front.notifier.notify(ended())
    await asyncio.wait_for(front.notifier.drained(), 5)
    assert titles(front.server) == ["🟢 ▲ 做多 SOLUSDT · 信心 70", "🟢 平倉 ▲ 做多 SOLUSDT · 獲利 +0.85R"]
    assert {message.channel_id for message in front.server.posted} == {CHANNEL_ID}
    assert all(message.body["allowed_mentions"] == {"parse": []} for message in front.server.posted)


async def test_a_chart_travels_with_its_notice(server: DiscordServer) -> None:
    times = T0 + MINUTE_MS * np.arange(40)
    candles = np.full((5, 40), 100.0)
    chart = TradeChart.of(closed_position(), candles=candles, open_times=times)
    async with running(server, picture=chart) as front:
        front.notifier.notify(ended())
        await asyncio.wait_for(front.notifier.drained(), 10)
    [message] = server.posted
    [(name, png)] = message.files.items()
    assert message.embeds[0]["image"]["url"] == f"attachment://{name}"
    assert png.startswith(b"\x89PNG")
    assert len(png) < 500_000


async def test_many_notices_share_few_messages(server: DiscordServer) -> None:
    async with running(server) as front:
        for _ in range(25):
            front.notifier.notify(alarm())
        await asyncio.wait_for(front.notifier.drained(), 5)
    assert len(titles(server)) == 25
    assert len(server.posted) == 3


@pytest.mark.fault(76)
async def test_a_text_too_long_with_everyone_in_it_is_shortened_and_calls_nobody(front: Front) -> None:
    front.notifier.notify(alarm("@everyone <@300000000000000000> **now** [here](https://example.org) " * 200))
    await asyncio.wait_for(front.notifier.drained(), 5)
    [message] = front.server.posted
    [embed] = message.embeds
    words = "".join(str(value) for value in embed.values())
    assert message.body["allowed_mentions"] == {"parse": []}
    assert len(embed["description"]) <= 4096
    assert "@everyone" not in words
    assert "<@300000000000000000>" not in words
    assert "**now**" not in words


@pytest.mark.fault(76)
async def test_no_answer_to_a_command_calls_anybody(front: Front) -> None:
    held = position_view(position(plan(ranked(candidate("@everyone")))))
    front.show(trader_view(real=(held,)))
    for name in ("positions", "balance", "stats"):
        answer = await front.server.slash(name, share=True)
        assert answer.body["allowed_mentions"] == {"parse": []}
    refused = await front.server.slash("halt", reason="@everyone", asker=STRANGER)
    assert "@everyone" not in refused.content


# --- when Discord fails -----------------------------------------------------------------------------


@pytest.mark.fault(73)
async def test_a_rate_limit_is_waited_out_and_nothing_is_said_twice(front: Front) -> None:
    front.server.limit(retry_after=0.05, path="/messages", times=2)
    front.notifier.notify(alarm())
    await asyncio.wait_for(front.notifier.drained(), 5)
    assert len(front.server.posted) == 1


async def test_a_refusal_is_tried_again_later(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    front.server.fail(403, path="/messages", times=3)
    front.notifier.notify(alarm())
    await asyncio.wait_for(front.notifier.drained(), 5)
    assert len(front.server.posted) == 1
    assert front.clock.monotonic() == pytest.approx(2 + 4 + 8)
    assert "trying again in 8 s" in caplog.text


async def test_an_error_of_discords_own_is_retried(front: Front) -> None:
    front.server.fail(500, path="/messages")
    front.notifier.notify(alarm())
    await asyncio.wait_for(front.notifier.drained(), 5)
    assert len(front.server.posted) == 1


async def test_a_message_that_discord_can_not_read_costs_nothing_but_itself(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    front.server.fail(400, path="/messages", times=2)  # three together, then the first alone
    for notice in (alarm(), opened(), ended()):
        front.notifier.notify(notice)
    await asyncio.wait_for(front.notifier.drained(), 5)
    assert len(front.server.posted) == len(titles(front.server)) == 2
    assert caplog.text.count("it is lost") == 1


@pytest.mark.fault(77)
async def test_a_lost_gateway_is_resumed_and_commands_are_registered_once(front: Front) -> None:
    await front.server.drop_gateway(4000)
    await front.server.until(lambda: front.server.resumes == 1)
    answer = await front.server.slash("positions")
    assert answer.embed["description"] == "No open positions."
    assert front.server.syncs == 1


@pytest.mark.fault(77)
async def test_a_second_ready_starts_nothing_twice(front: Front) -> None:
    await front.server.ready_again()
    front.notifier.notify(alarm())
    await asyncio.wait_for(front.notifier.drained(), 5)
    assert front.server.syncs == 1
    assert len(front.server.posted) == 1


@pytest.mark.fault(73)
async def test_what_happens_while_discord_is_down_is_told_when_it_is_back(
    server: DiscordServer, caplog: pytest.LogCaptureFixture
) -> None:
    await server.stop()
    async with running(server) as front:
        front.notifier.notify(alarm("early"))
        await _pauses(front, 3)
        await server.start()
        await asyncio.wait_for(front.notifier.drained(), 10)
    assert len(titles(server)) == 1
    assert "Discord can not be reached" in caplog.text


@pytest.mark.fault(73)
@pytest.mark.parametrize("revoked_at", ["login", "gateway"])
async def test_a_token_that_is_no_longer_good_ends_the_front_with_one_line(
    server: DiscordServer, caplog: pytest.LogCaptureFixture, revoked_at: str
) -> None:
    if revoked_at == "login":
        server.token = "another"
    async with running(server) as front:
        if revoked_at == "gateway":
            await server.until(lambda: server.identifies == 1)
            await server.drop_gateway(4004)
        await asyncio.wait_for(front.task, 5)
        front.notifier.notify(alarm())
    [record] = [
        each for each in caplog.records if each.name == "bot.client" and each.levelno >= logging.ERROR
    ]
    assert "Trading goes on without chat" in record.getMessage()
    assert record.exc_info is None
    assert TOKEN not in caplog.text


async def test_stopping_leaves_no_connection_and_no_task_behind(server: DiscordServer) -> None:
    before = asyncio.all_tasks()
    async with running(server):
        await server.until(lambda: server.identifies == 1)
    await server.until(lambda: server.is_idle)
    assert asyncio.all_tasks() <= before


async def _pauses(front: Front, count: int) -> None:
    """Let the front fail and pause ``count`` times: pauses only move the manual clock."""
    until = front.clock.monotonic() + 5 * count
    async with asyncio.timeout(5):
        while front.clock.monotonic() < until:
            await front.clock.sleep(0)
