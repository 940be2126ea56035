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
