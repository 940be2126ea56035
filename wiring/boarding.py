"""What must be in order before a trader is let onto an account, and is looked at again while it trades."""

from collections.abc import Callable, Coroutine
from typing import Any

from core.errors import ModeRefused
from core.notices import Alert, Severity
from core.operation import OperatorRequest
from core.ports import Notifier
from core.positions import Position, Source
from core.settings import Settings
from services.preflight import Preflight
from services.rehearsal import StopRehearsal
from wiring.account import Account
from wiring.place import Place
from wiring.records import Records


async def board(
    settings: Settings,
    place: Place,
    records: Records,
    account: Account,
    *,
    notifier: Notifier,
    post: Callable[[OperatorRequest], None],
) -> tuple[Coroutine[Any, Any, None], ...]:
    """Return what goes on looking. Raises ``ModeRefused`` where the run must not begin."""
    if not place.connection.signs:
        return ()
    held = [each for each in records.journal.live_positions() if each.plan.source is Source.REAL]
    preflight = Preflight(place.connection.examination, post=post, notifier=notifier, clock=place.clock)
    await preflight.before_start(holds=bool(held))
    if settings.may_trade:
        instruments = await account.exchange.instruments()
        rehearsal = StopRehearsal(account.exchange, clock=place.clock)
        await preflight.rehearse(lambda: rehearsal.run(instruments, place.glance.marks))
    else:
        _only_watch(held, notifier, at=place.clock.market_ms())
    return (preflight.run(),)


def _only_watch(held: list[Position], notifier: Notifier, *, at: int) -> None:
    """Say so; positions that nobody could get out of are no matter for watching."""
    if held:
        symbols = ", ".join(each.symbol for each in held)
        raise ModeRefused(
            f"This account holds {symbols} for us, and without TRADING_ENABLED and LIVE_CONFIRMATION nothing"
            " could be closed: set both."
        )
    notifier.notify(Alert(key="watching_only", severity=Severity.WARNING, at=at))
