"""What owners do to a running trader from Discord: the real discord.py, a local Discord, a real inbox."""

from dataclasses import replace
from typing import Any

import pytest

from core.operation import OperatorAction
from core.positions import Source
from core.views import TraderView
from tests.builders import T0, plan, position
from tests.builders_view import position_view, trader_view
from tests.e2e.discord_front import Front, running
from tests.fakes.discord_payloads import OWNER_ID, Asker
from tests.fakes.discord_server import DiscordServer

TAIWAN = Asker(locale="zh-TW")
STRANGER = Asker(user_id=666, name="owner")  # the same name, another number
BY_OWNER = f"discord:{OWNER_ID}"
HELD = trader_view(real=(position_view(mark="100.50"),))
HALTED = trader_view(halted="drawdown")


def done(front: Front) -> list[tuple[OperatorAction, str]]:
    return [(wish.action, wish.by) for wish in front.wishes]


async def test_a_pause_reaches_the_trader_with_its_length_and_who_wanted_it(front: Front) -> None:
    answer = await front.server.slash("pause", minutes=45)
    assert answer.is_ephemeral
    assert answer.content == "No new entries for 45 minutes. What is open lives on."
    (wish,) = front.wishes
    assert (wish.action, wish.lasting_ms, wish.by) == (OperatorAction.PAUSE, 45 * 60_000, BY_OWNER)
    assert wish.request_id


async def test_a_pause_without_a_length_lasts_until_somebody_resumes(front: Front) -> None:
    answer = await front.server.slash("pause", asker=TAIWAN)
    assert answer.content == "已停止新進場，直到有人恢復；現有倉位照常管理。"
    assert [wish.lasting_ms for wish in front.wishes] == [None]


async def test_a_halt_says_why_in_words_that_mention_and_format_nothing(front: Front) -> None:
    answer = await front.server.slash("halt", reason="@everyone *news* at 8")
    assert "@everyone" not in answer.content
    assert r"\*news\*" in answer.content
    assert [wish.reason for wish in front.wishes] == ["@everyone *news* at 8"]


@pytest.mark.parametrize(
    ("command", "options", "view", "action"),
    [
        ("panic", {}, HELD, OperatorAction.PANIC),
        ("resume", {}, HALTED, OperatorAction.RESUME),
        ("close", {"symbol": "sol"}, HELD, OperatorAction.CLOSE),
    ],
)
async def test_what_is_grave_is_done_after_a_yes_and_not_before(
    front: Front, command: str, options: dict[str, Any], view: TraderView, action: OperatorAction
) -> None:
    front.show(view)
    asked = await front.server.slash(command, **options)
    assert asked.is_ephemeral
    assert front.wishes == []
    no = await front.server.press(asked, "No")
    assert (no.content, no.body["components"]) == ("Nothing was done.", [])
    assert front.wishes == []
    yes = await front.server.press(asked, "Yes, do it")
    assert yes.replaced_message
    assert yes.body["components"] == []
    assert done(front) == [(action, BY_OWNER)]


async def test_a_question_names_what_would_be_done_in_the_askers_language(front: Front) -> None:
    front.show(replace(HELD, halted="drawdown"))
    words = [
        (await front.server.slash("panic", asker=TAIWAN)).content,
        (await front.server.slash("resume", asker=Asker(locale="zh-CN"))).content,
        (await front.server.slash("close", symbol="SOLUSDT")).content,
    ]
    assert "全部 1 個真實倉位" in words[0]
    assert words[1].startswith("要恢复进场吗？目前停止的原因：回撤达到上限")
    assert words[2].startswith("Close ▲ LONG SOLUSDT (real) at market? Unrealised +5.00 USDT.")


async def test_a_yes_that_comes_too_late_does_nothing(front: Front) -> None:
    front.show(HELD)
    asked = await front.server.slash("panic")
    front.server.pass_time(61)
    assert "too late" in (await front.server.press(asked, "Yes, do it")).content
    assert front.wishes == []


async def test_a_question_outlives_a_restart_of_the_bot(server: DiscordServer) -> None:
    async with running(server) as before:
        await server.until(lambda: server.syncs == 1 and server.identifies == 1)
        before.show(HELD)
        asked = await server.slash("panic")
    async with running(server) as after:
        await server.until(lambda: server.syncs == 2 and server.identifies == 2)
        after.show(HELD)
        await server.press(asked, "Yes, do it")
        assert done(after) == [(OperatorAction.PANIC, BY_OWNER)]


@pytest.mark.fault(75)
async def test_a_close_pressed_twice_or_delivered_twice_is_one_wish(front: Front) -> None:
    front.show(HELD)
    asked = await front.server.slash("close", symbol="SOLUSDT")
    first = await front.server.press(asked, "Yes, do it")
    await front.server.deliver_again(first)
    await front.server.press(asked, "Yes, do it")
    assert len({wish.request_id for wish in front.wishes}) == 1
    front.show(trader_view())
    gone = await front.server.press(asked, "Yes, do it")
    assert gone.content == "There is no open position in SOLUSDT."
    assert len(front.wishes) == 3


@pytest.mark.fault(75)
async def test_a_command_delivered_twice_is_one_wish(front: Front) -> None:
    answer = await front.server.slash("pause")
    await front.server.deliver_again(answer)
    assert len({wish.request_id for wish in front.wishes}) == 1


async def test_what_is_not_there_can_not_be_closed_nor_resumed(front: Front) -> None:
    nothing = await front.server.slash("close", symbol="**x**")
    running_on = await front.server.slash("resume")
    assert nothing.content == r"There is no open position in \*\*X\*\*."
    assert running_on.content == "New entries are being taken: there is nothing to resume."
    assert front.wishes == []


async def test_a_virtual_position_can_be_closed_too_and_a_real_one_comes_first(front: Front) -> None:
    virtual = position_view(position(replace(plan(), source=Source.VIRTUAL)))
    front.show(trader_view(virtual=(virtual,)))
    asked = await front.server.slash("close", symbol="SOL")
    await front.server.press(asked, "Yes, do it")
    front.show(replace(HELD, virtual=(virtual,)))
    asked = await front.server.slash("close", symbol="SOL")
    await front.server.press(asked, "Yes, do it")
    assert [wish.source for wish in front.wishes] == [Source.VIRTUAL, Source.REAL]


@pytest.mark.fault(74)
@pytest.mark.parametrize(
    ("asker", "words"),
    [
        (STRANGER, "Only the owners named in the settings may do this."),
        (Asker(guild_id=999), "This command only works in its own server."),
        (Asker(guild_id=None), "This command only works in its own server."),
        (Asker(channel_id=999), "This only works in the channel that the settings name."),
    ],
    ids=["a stranger of the same name", "another server", "a direct message", "another channel"],
)
@pytest.mark.parametrize("command", ["pause", "halt", "resume", "panic", "close"])
async def test_nobody_else_steers_and_who_tried_stands_in_the_log(
    front: Front, caplog: pytest.LogCaptureFixture, command: str, asker: Asker, words: str
) -> None:
    front.show(replace(HELD, halted="drawdown"))
    options = {"halt": {"reason": "mine now"}, "close": {"symbol": "SOLUSDT"}}.get(command, {})
    answer = await front.server.slash(command, asker=asker, **options)
    assert answer.content == words
    assert answer.is_ephemeral
    assert front.wishes == []
    assert str(asker.user_id) in caplog.text


@pytest.mark.fault(74)
async def test_a_strangers_yes_to_an_owners_question_does_nothing(front: Front) -> None:
    front.show(HELD)
    asked = await front.server.slash("panic")
    refused = await front.server.press(asked, "Yes, do it", asker=STRANGER)
    assert refused.content == "Only the owners named in the settings may do this."
    assert front.wishes == []


async def test_without_an_operator_there_is_nothing_to_steer_with(server: DiscordServer) -> None:
    async with running(server, may_steer=False):
        await server.until(lambda: server.syncs == 1)
        assert {command["name"] for command in server.commands} == {"positions", "balance", "stats"}


async def test_a_pause_with_an_end_is_shown_with_its_end(front: Front) -> None:
    front.show(replace(trader_view(halted="paused"), halted_until=T0))
    answer = await front.server.slash("positions")
    assert answer.embed["description"].startswith("⛔ No new entries: Paused by a person; ends <t:")
