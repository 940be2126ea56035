"""What must be in order before a trader is let onto an account, and is looked at again while it trades."""

from collections.abc import Coroutine, Mapping
from typing import Any

from core.errors import ModeRefused
from core.notices import Alert, Severity
from core.ports import Notifier
from core.positions import Position, Source
from services.preflight import Preflight
from services.rehearsal import StopRehearsal
from wiring.ground import Ground


async def board(ground: Ground, notifier: Notifier) -> Mapping[str, Coroutine[Any, Any, None]]:
    """Return what goes on beside, by name. Raises ``ModeRefused`` where the run must not begin."""
    place, clock = ground.place, ground.clock
    if not place.connection.signs:
        return {}
    held = [each for each in ground.records.journal.live_positions() if each.plan.source is Source.REAL]
    preflight = Preflight(
        place.connection.examination, post=ground.inbox.post, notifier=notifier, clock=clock
    )
    await preflight.before_start(holds=bool(held))
    if not ground.settings.may_trade:
        _only_watch(held, notifier, at=clock.market_ms())
        return {"preflight": preflight.run()}
    rehearsal = StopRehearsal(ground.account.exchange, clock=clock)
    rehearsed = preflight.rehearse(lambda: rehearsal.run(ground.instruments, place.glance.marks))
    if held:  # which must be looked after first
        return {"rehearsal": rehearsed, "preflight": preflight.run()}
    await rehearsed
    return {"preflight": preflight.run()}


def _only_watch(held: list[Position], notifier: Notifier, *, at: int) -> None:
    """Say so; positions that nobody could get out of are no matter for watching."""
    if held:
        symbols = ", ".join(each.symbol for each in held)
        raise ModeRefused(
            f"This account holds {symbols} for us, and without TRADING_ENABLED and LIVE_CONFIRMATION nothing"
            " could be closed: set both."
        )
    notifier.notify(Alert(key="watching_only", severity=Severity.WARNING, at=at))
