"""The live view says what is stale, and what entries wait for."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO

from rich.console import Console

from cli.screen import Screen
from core.market import MINUTE_MS
from core.notices import PositionOpened, SignalRefused
from core.positions import Protection, Source, Stage
from core.risk_state import Ban
from core.signals import Side
from core.views import BalanceView, Performance, TraderView
from tests.builders import T0, candidate, instrument, plan, position, ranked
from tests.builders_view import position_view, scan_view

BALANCE = BalanceView(
    wallet=Decimal(5_000),
    equity=Decimal(5_000),
    available=Decimal(5_000),
    margin_used=Decimal(0),
    peak_equity=Decimal(5_000),
    drawdown=0.0,
    day_pnl=Decimal(0),
    at=T0,
)
STOP = Decimal(99)
VIEW = TraderView(
    at=T0,
    mode="sim",
    loaded=3,
    universe=3,
    scan=None,
    real=(),
    virtual=(),
    balance=BALANCE,
    performance=Performance(),
    virtual_performance=Performance(),
)


def shown(view: TraderView, screen: Screen | None = None, *, width: int = 200) -> str:
    console = Console(file=StringIO(), width=width)
    with console.capture() as capture:
        console.print((screen or Screen("trade")).render(view, done=0, width=width))
    return capture.get()


def test_an_exchange_that_does_not_answer_is_named_with_its_last_word_and_equity_is_marked_as_old() -> None:
    assert "DOES NOT ANSWER" not in shown(VIEW)
    silent = shown(replace(VIEW, at=T0 + 5 * MINUTE_MS, is_cut_off=True))
    assert "THE EXCHANGE DOES NOT ANSWER since" in silent
    assert "USDT  (as of " in silent


def test_a_pause_is_shown_in_words_and_with_its_end() -> None:
    paused = shown(replace(VIEW, halted="paused", halted_until=T0 + MINUTE_MS))
    assert "HALTED: paused by a person, until " in paused


def test_what_is_held_without_a_resting_stop_does_not_look_as_if_it_had_one() -> None:
    bare = replace(position(stage=Stage.PROTECTING), stop=Protection(client_order_id="s", trigger_price=STOP))
    for held in (bare, replace(bare, stop=None)):
        picture = shown(replace(VIEW, real=(position_view(held),)))
        assert "NONE" in picture
        assert str(STOP) not in picture
    picture = shown(replace(VIEW, real=(position_view(position()),)))
    assert "NONE" not in picture
    assert str(STOP) in picture
    assert "NONE" not in shown(replace(VIEW, real=(position_view(position(stage=Stage.ENTERING)),)))


def test_refused_signals_are_counted_and_the_last_ones_shown_with_their_reason() -> None:
    screen = Screen("demo")
    assert "refused" not in shown(VIEW, screen)
    opened = PositionOpened(position=position(), at=T0)
    screen.notify(opened, at=T0)
    for number in range(20):
        signal = ranked(candidate(f"S{number}USDT"))
        screen.notify(SignalRefused(signal=signal, reasons=("pool_too_near",), at=T0), at=T0)
    picture = shown(VIEW, screen)
    assert "signals refused: 20" in picture
    assert "S19USDT LONG: no room to the opposite pool" in picture
    assert "S16USDT" not in picture
    assert "opened   real LONG SOLUSDT" in picture


def test_what_keeps_real_entries_out_for_a_while_is_shown_with_its_end_unless_a_halt_is() -> None:
    barred = replace(VIEW, barred=Ban(reason="stops_in_a_row", until=T0 + 30 * MINUTE_MS))
    assert "NO REAL ENTRIES: pause after several stops, until 11-26 00:30" in shown(barred)
    assert "NO REAL" not in shown(replace(barred, halted="paused"))


def test_eighty_columns_show_every_symbol_side_and_price_whole() -> None:
    short = ranked(candidate("1000SHIBUSDT", side=Side.SHORT, price=0.0123456), leverage=12)
    signal = ranked(candidate("LTCUSDT", side=Side.SHORT, price=84.2345, confidence=100.0), leverage=12)
    contract = instrument("1000SHIBUSDT", tick="0.0000001")
    held = (
        position_view(position(plan(short, contract=contract)), mark="0.0123457"),
        position_view(position(plan(signal, source=Source.VIRTUAL)), mark="84.23"),
    )
    scan = replace(scan_view(), ranked=(short, signal))
    picture = shown(replace(VIEW, scan=scan, real=held[:1], virtual=held[1:]), width=80)
    assert "…" not in picture
    lines = [line.split() for line in picture.splitlines()]
    assert ["virtual", "LTCUSDT", "▼"] in [line[:3] for line in lines]
    assert [line[1:5] for line in lines if line[1:2] == ["1"]] == [
        ["1", each, "▼", "SHORT"] for each in ("1000SHIBUSDT", "LTCUSDT")
    ]
    assert ["real", "1000SHIBUSDT", "▼", "0.0123456", "0.0123457", "0.0124691"] in [
        line[:6] for line in lines
    ]


def test_what_was_filled_after_the_last_closed_minute_is_no_negative_minute_old() -> None:
    picture = shown(replace(VIEW, at=T0 - 1, real=(position_view(position()),)))
    assert "-1m" not in picture
    assert " 0m" in picture
