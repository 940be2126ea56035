"""What a run ends with."""

from dataclasses import replace

import pytest

from cli.summary import bare_row, show, still_open
from core.positions import Stage
from tests.builders import candidate, plan, position, ranked


def test_what_is_left_open_is_told_with_how_many_have_their_stop() -> None:
    assert still_open([]) == "0 still open"
    assert bare_row([]) == {}
    assert still_open([position(), position()]) == "2 still open, 2 with a resting stop"
    assert bare_row([position()]) == {}


def test_what_is_left_without_a_stop_is_named_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    lost = replace(position(stage=Stage.PROTECTING), stop=None)
    entering = position(plan(ranked(candidate("LTCUSDT"))), stage=Stage.UNKNOWN)
    held = [position(), lost, entering]
    assert still_open(held) == "3 still open, 1 with a resting stop"
    show("demo", bare_row(held), stdout=True)
    said = capsys.readouterr().out
    assert "WITHOUT A STOP  SOLUSDT LONG (protecting), LTCUSDT LONG (unknown): look at the exchange" in said
