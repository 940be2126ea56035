"""Wishes left as files: taken once, and only what takes risk away where they lay there before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.notices import Alert, Notice
from core.operation import OperatorAction, OperatorRequest
from services.letterbox import Letterbox
from services.operator import Operator


class Hand:
    """Leaves letters, and waits for what comes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wishes: asyncio.Queue[OperatorRequest] = asyncio.Queue()
        self.told: list[tuple[str, str]] = []

    def leave(self, name: str, words: str = "") -> None:
        self.folder.mkdir(exist_ok=True)
        draft = self.folder.parent / f"draft of {name}"
        draft.write_text(words, encoding="utf-8")
        draft.rename(self.folder / name)

    def notify(self, notice: Notice) -> None:
        assert isinstance(notice, Alert)
        self.told.append((notice.key, notice.text))

    async def wish(self) -> OperatorRequest:
        return await asyncio.wait_for(self.wishes.get(), 5)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        box = Letterbox(self.folder, Operator(self.wishes.put_nowait), notifier=self, clock=ManualClock())
        task = asyncio.create_task(box.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    return Hand(tmp_path / "wishes")


async def begun(hand: Hand) -> None:
    """Wait until the first look, at what lay there before, is over."""
    hand.leave("panic")
    await hand.wish()


@pytest.mark.parametrize(
    ("name", "words", "wish"),
    [
        ("pause", "", OperatorRequest(action=OperatorAction.PAUSE, by="")),
        ("pause-45", "", OperatorRequest(action=OperatorAction.PAUSE, by="", lasting_ms=45 * 60_000)),
        ("halt", "news at 8\n", OperatorRequest(action=OperatorAction.HALT, by="", reason="news at 8")),
        ("resume", "", OperatorRequest(action=OperatorAction.RESUME, by="")),
        ("panic", "", OperatorRequest(action=OperatorAction.PANIC, by="")),
        ("close-SOLUSDT", "", OperatorRequest(action=OperatorAction.CLOSE, by="", symbol="SOLUSDT")),
        ("close-solusdt", "", OperatorRequest(action=OperatorAction.CLOSE, by="", symbol="SOLUSDT")),
    ],
)
async def test_a_file_is_a_wish_and_is_gone_once_it_is_taken(
    hand: Hand, name: str, words: str, wish: OperatorRequest
) -> None:
    async with hand.running():
        await begun(hand)
        hand.leave(name, words)
        got = await hand.wish()
    assert got.by.startswith("file:")
    named = {"action", "reason", "symbol", "lasting_ms"}
    assert {each: getattr(got, each) for each in named} == {each: getattr(wish, each) for each in named}
    assert list(hand.folder.iterdir()) == []


async def test_what_lay_there_before_the_start_is_obeyed_only_where_it_takes_risk_away(hand: Hand) -> None:
    for name in ("close-SOLUSDT", "pause", "resume"):
        hand.leave(name)
    async with hand.running():
        assert (await hand.wish()).action is OperatorAction.PAUSE
        hand.leave("panic")
        assert (await hand.wish()).action is OperatorAction.PANIC
    assert hand.wishes.empty()
    assert hand.told == [("wish_too_old", "close-SOLUSDT"), ("wish_too_old", "resume")]


async def test_what_is_no_wish_is_left_alone_and_named_once(
    hand: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    hand.leave("shopping.txt")
    hand.leave(".pause.swp")
    async with hand.running():
        await begun(hand)
        await begun(hand)
    assert caplog.text.count("is no wish we know") == 2
    assert {path.name for path in hand.folder.iterdir()} == {"shopping.txt", ".pause.swp"}
    known = "known are pause or pause-45 (minutes), halt, resume, panic, close-SOLUSDT"
    assert hand.told == [("wish_unknown", f"shopping.txt; {known}")]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("resum", "resume"),
        ("PAUSE", "pause or pause-45 (minutes)"),
        ("pause--5", "pause or pause-45 (minutes)"),
        ("close", "close-SOLUSDT"),
    ],
)
async def test_a_slip_is_answered_with_the_nearest_word_and_nothing_is_done(
    hand: Hand, name: str, nearest: str
) -> None:
    async with hand.running():
        await begun(hand)
        hand.leave(name)
        await begun(hand)
        await begun(hand)
    assert hand.wishes.empty()
    assert hand.told == [("wish_unknown", f"{name}; the nearest is {nearest}")]


@pytest.mark.parametrize("name", ["pause-0", "pause-soon", "pause-10081", f"pause-{'9' * 200}"])
async def test_a_pause_without_a_sensible_end_lasts_until_somebody_resumes(hand: Hand, name: str) -> None:
    async with hand.running():
        hand.leave(name)
        wish = await hand.wish()
    assert (wish.action, wish.lasting_ms) == (OperatorAction.PAUSE, None)
    assert hand.told == [("pause_endless", f"{name}: minutes are 1 to 10080")]


async def test_a_link_is_no_wish_and_what_it_leads_to_is_shown_to_nobody(
    hand: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    secret = hand.folder.parent / ".env"
    secret.write_text("BINANCE_API_SECRET=s3cret")
    async with hand.running():
        await begun(hand)
        (hand.folder / "halt").symlink_to(secret)
        await begun(hand)
        await begun(hand)
    assert hand.wishes.empty()
    assert caplog.text.count("is no wish we know") == 1
    assert "s3cret" not in caplog.text
    assert hand.told == [("wish_unknown", "halt; only a plain file counts")]


async def test_a_folder_that_can_not_be_used_disturbs_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "wishes").write_text("a file in the way")
    hand = Hand(tmp_path / "wishes")
    async with hand.running():
        for _ in range(3):
            await asyncio.to_thread(int)
        (tmp_path / "wishes").unlink()
        await begun(hand)
    assert caplog.text.count("can not be read") == 1


async def test_a_letter_that_can_not_be_taken_costs_none_of_those_beside_it(
    hand: Hand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    remove = Path.unlink

    def guarded(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "pause":
            raise PermissionError(f"{path} is another's")
        remove(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", guarded)
    for name in ("halt", "panic", "pause"):
        hand.leave(name)
    async with hand.running():
        assert (await hand.wish()).action is OperatorAction.HALT
        assert (await hand.wish()).action is OperatorAction.PANIC
    assert caplog.text.count("can not be taken") == 1
