"""Execution where nothing may be ordered: questions are asked, everything else is refused on the spot."""

from collections.abc import Sequence

from core.clock import Clock
from core.orders import (
    CancelConditional,
    CloseAtMarket,
    Command,
    OrderRejected,
    PlaceConditional,
    PrepareSymbol,
    Report,
    SubmitEntry,
)
from core.ports import Execution

NOT_SWITCHED_ON = "live orders are not switched on: this run only watches"


class WatchOnly:
    """A ``core.ports.Execution`` that passes questions on and refuses what would change the account."""

    def __init__(self, execution: Execution, *, clock: Clock) -> None:
        self._execution = execution
        self._clock = clock

    def submit(self, command: Command) -> Sequence[Report]:
        match command:
            case PrepareSymbol():
                return (self._refused(command, ""),)
            case SubmitEntry() | CloseAtMarket() | PlaceConditional():
                return (self._refused(command, command.client_order_id),)
            case CancelConditional():
                return ()  # what rests goes on resting
            case _:
                return self._execution.submit(command)

    def _refused(self, command: Command, order_id: str) -> OrderRejected:
        return OrderRejected(
            position_id=command.position_id,
            symbol=command.symbol,
            client_order_id=order_id,
            code=0,
            message=NOT_SWITCHED_ON,
            at=self._clock.market_ms(),
        )
