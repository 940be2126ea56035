"""What a command's end means to whoever started it."""

from dataclasses import fields

import pytest

from cli.app import Actions, run_app
from core.errors import ExchangeUnavailable, ModeRefused, RestartNeeded


@pytest.mark.fault(90, 92)
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (RestartNeeded("Ended in order to be started again: the memory is used up."), 75),
        (ExchangeUnavailable("no answer"), 1),
        (ModeRefused("not like this"), 2),
    ],
)
def test_a_supervisor_can_tell_a_wish_for_a_new_start_from_a_fault(
    fault: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise fault

    actions = Actions(**{field.name: fail for field in fields(Actions)})
    assert run_app(actions, ["trade"]) == code
    assert str(fault) in " ".join(capsys.readouterr().err.split())


def test_a_mistyped_choice_is_answered_with_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    actions = Actions(**{field.name: lambda *_: 0 for field in fields(Actions)})
    assert run_app(actions, ["trades", "--source", "foo"]) == 2
    assert capsys.readouterr().err == (
        "Invalid value for '--source': 'foo' is not one of 'real', 'virtual', 'twin', 'shadow'.\n"
    )
