"""Live mode as it is wired, with a simulator in place of the network: what leaves, and what never does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.clock import SystemClock
from core.errors import JournalError, ModeRefused
from core.journal import Entry, EntryKind, IntentRecorded, PositionChanged, RiskChanged, SignalJudged
from core.positions import Source
from core.risk_state import Halt, RiskState
from core.settings import CONFIRMATION, Settings, load_settings
from data.journal import SqliteJournal
from data.journal_reader import JournalReader
from exchange.binance.transport import HttpRequest, HttpResponse, Socket
from exchange.sim.config import SimConfig
from exchange.sim.in_process import InProcess
from exchange.sim.process import Simulator
from services.risk_desk import RiskDesk
from tests.builders import plan, position
from tests.fakes.in_process import InProcessTransport
from wiring.trade import run_trade

SWITCHES = {"TRADING_ENABLED": "true", "LIVE_CONFIRMATION": CONFIRMATION}
PRODUCTION_HOSTS = {"https://fapi.binance.com", "https://api.binance.com"}
PATIENCE = 60.0


@dataclass
class Wire:
    """A transport into a simulator, under whatever address it is asked for; remembers every request."""

    simulator: Simulator
    requests: list[HttpRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._inner = InProcessTransport(InProcess(self.simulator), SystemClock(), latency=0.0)

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return await self._inner.send(request)

    async def connect(self, url: str) -> Socket:
        assert url.startswith("wss://fstream.binance.com/")
        return await self._inner.connect(url)

    async def close(self) -> None: ...

    @property
    def hosts(self) -> set[str]:
        return {"/".join(each.url.split("/")[:3]) for each in self.requests}

    def sent(self, *methods: str) -> Sequence[str]:
        """Return the paths of all requests by these methods."""
        return [each.url.split("?")[0].split("/", 3)[3] for each in self.requests if each.method in methods]


@asynccontextmanager
async def market(*, speed: float = 480.0) -> AsyncIterator[Wire]:
    simulator = Simulator(SimConfig(symbols=30, seed=1, speed=speed))
    simulator.let_time_pass()
    try:
        yield Wire(simulator)
    finally:
        await simulator.close()


def live(home: Path, wire: Wire, **switches: str) -> Settings:
    keys = {"BINANCE_API_KEY": wire.simulator.api_key, "BINANCE_API_SECRET": wire.simulator.api_secret}
    return load_settings({"PERPSCOUT_MODE": "live", "PERPSCOUT_HOME": str(home), **keys, **switches})


async def until_judged(folder: Path) -> tuple[SignalJudged, ...]:
    """Wait until a signal was judged, and return what was."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(JournalError), JournalReader(folder / "journal.db") as reader:  # it is being made
                judged = [each.body for each in reader.entries(EntryKind.SIGNAL)]
                if judged:
                    return tuple(each for each in judged if isinstance(each, SignalJudged))
            await SystemClock().sleep(0.2)


@asynccontextmanager
async def trading(settings: Settings, wire: Wire) -> AsyncIterator[None]:
    """Run ``trade`` as the command would, and interrupt it at the end."""
    began = SystemClock().monotonic()
    run = asyncio.create_task(run_trade(settings, settings.folder, began=began, transport=wire))
    try:
        yield
    finally:
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run


def with_open_gate(*parts: Any, **named: Any) -> RiskDesk:
    return RiskDesk(*parts, **{**named, "trades": True})


@pytest.mark.fault(64)
async def test_without_both_switches_nothing_but_questions_leaves_even_if_the_gate_stood_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wiring.trader.RiskDesk", with_open_gate)
    async with market() as wire:
        settings = live(tmp_path, wire, LIVE_CONFIRMATION=CONFIRMATION)
        async with trading(settings, wire):
            judged = await until_judged(settings.folder)
            await SystemClock().sleep(1.0)  # an order that is under way would be out by then
    assert "real" in {each.verdict for each in judged}
    assert set(wire.sent("POST", "PUT", "DELETE")) == {"fapi/v1/listenKey"}
    assert wire.hosts <= PRODUCTION_HOSTS


async def test_with_both_switches_the_same_signals_are_traded(tmp_path: Path) -> None:
    async with market() as wire:
        settings = live(tmp_path, wire, **SWITCHES)
        async with trading(settings, wire):
            await until_judged(settings.folder)
            async with asyncio.timeout(PATIENCE):
                while "fapi/v1/order" not in wire.sent("POST"):
                    await SystemClock().sleep(0.2)
    assert wire.hosts <= PRODUCTION_HOSTS


@pytest.mark.fault(66)
@pytest.mark.parametrize("right", ["enableWithdrawals", "permitsUniversalTransfer", "enableInternalTransfer"])
async def test_a_key_that_can_move_money_out_is_refused_before_anything_is_ordered(
    right: str, tmp_path: Path
) -> None:
    async with market() as wire:
        wire.simulator.venue.account("account-1").key_rights[right] = True
        settings = live(tmp_path, wire, **SWITCHES)
        with pytest.raises(ModeRefused, match="The API key can"):
            await run_trade(settings, settings.folder, began=0.0, transport=wire)
    assert wire.sent("POST", "PUT", "DELETE") == []


@pytest.mark.fault(46)
async def test_an_account_in_hedge_mode_is_refused_before_anything_is_ordered(tmp_path: Path) -> None:
    async with market() as wire:
        wire.simulator.venue.account("account-1").is_hedged = True
        settings = live(tmp_path, wire, **SWITCHES)
        with pytest.raises(ModeRefused, match="hedge mode"):
            await run_trade(settings, settings.folder, began=0.0, transport=wire)
    assert wire.sent("POST", "PUT", "DELETE") == []


async def test_a_key_that_the_exchange_does_not_know_is_told_as_that(tmp_path: Path) -> None:
    async with market() as wire:
        settings = live(tmp_path, wire, BINANCE_API_KEY="of-another-exchange", **SWITCHES)
        with pytest.raises(ModeRefused, match="does not accept the API key") as caught:
            await run_trade(settings, settings.folder, began=0.0, transport=wire)
    assert "of-another-exchange" not in str(caught.value)
    assert wire.simulator.api_secret not in str(caught.value)


async def test_a_folder_of_another_exchange_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async with market() as wire:
        settings = live(tmp_path, wire, **SWITCHES)
        settings.folder.mkdir(parents=True)
        (settings.folder / "exchange.txt").write_text("http://127.0.0.1:8650\n", encoding="utf-8")
        with pytest.raises(ModeRefused, match="PERPSCOUT_ACCOUNT"):
            await run_trade(settings, settings.folder, began=0.0, transport=wire)
    assert wire.requests == []


async def test_a_run_that_was_halted_says_so_when_it_begins_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with market() as wire:
        settings = live(tmp_path, wire)
        state = RiskState(halted=Halt.DRAWDOWN.value)
        with SqliteJournal(settings.folder / "journal.db") as journal:
            journal.append([Entry(body=RiskChanged(state=state), at=0, seen_at=0)])
        async with trading(settings, wire):
            async with asyncio.timeout(PATIENCE):
                while "fapi/v1/klines" not in wire.sent("GET"):
                    await SystemClock().sleep(0.1)
    said = " ".join(capsys.readouterr().err.split())
    assert "drawdown limit" in said
    assert "wishes" in said


async def test_a_journal_from_the_future_of_this_market_is_about_another_one(tmp_path: Path) -> None:
    async with market() as wire:
        settings = live(tmp_path, wire, **SWITCHES)
        later = wire.simulator.market.now_ms + 3_600_000
        with SqliteJournal(settings.folder / "journal.db") as journal:
            journal.append([Entry(body=RiskChanged(state=RiskState()), at=later, seen_at=later)])
        with pytest.raises(ModeRefused, match="a simulator that was started anew"):
            await run_trade(settings, settings.folder, began=0.0, transport=wire)
    assert wire.sent("POST", "PUT", "DELETE") == []


async def test_positions_that_nobody_could_close_are_no_matter_for_watching(tmp_path: Path) -> None:
    async with market() as wire:
        settings = live(tmp_path, wire)
        with SqliteJournal(settings.folder / "journal.db") as journal:
            held = replace(position(), plan=replace(plan(), source=Source.REAL))
            intent = Entry(body=IntentRecorded(plan=held.plan), at=0, seen_at=0)
            journal.append([intent, Entry(body=PositionChanged(position=held), at=0, seen_at=0)])
        with pytest.raises(ModeRefused, match=f"holds {held.symbol} for us"):
            await run_trade(settings, settings.folder, began=0.0, transport=wire)
    assert wire.sent("POST", "PUT", "DELETE") == []
