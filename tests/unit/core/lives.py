"""One position's life as a test tells it."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import count

from core import lifecycle
from core.lifecycle import LifecycleParameters
from core.lifecycle_moves import Concern, Step
from core.order_ids import client_order_id
from core.orders import (
    Command,
    ConditionalChanged,
    ConditionalStatus,
    HeldPosition,
    OrderAbsent,
    OrderEnded,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    Report,
    Role,
    SymbolPrepared,
)
from core.positions import ExitReason, Position, PositionPlan, Stage
from tests.builders import T0, plan

PARAMETERS = LifecycleParameters()


class Life:
    """One position's story; remembers every command it asked for."""

    def __init__(self, intent: PositionPlan | None = None) -> None:
        self._trades = count(1)
        self.mono = 100.0
        self.sent: list[Command] = []
        self.concerns: list[Concern] = []
        self.position = self._take(lifecycle.begin(intent or plan(), mono=self.mono))

    def hears(self, report: Report) -> Sequence[Command]:
        before = len(self.sent)
        self.position = self._take(lifecycle.on_report(self.position, report, PARAMETERS, mono=self.mono))
        return self.sent[before:]

    def waits(self, seconds: float) -> Sequence[Command]:
        before = len(self.sent)
        self.mono += seconds
        self.position = self._take(lifecycle.on_time(self.position, PARAMETERS, mono=self.mono))
        return self.sent[before:]

    def at(self, stage: Stage) -> bool:
        return self.position.stage is stage

    def is_seen_flat(self) -> Sequence[Command]:
        return self._moves(lifecycle.found_flat(self.position, PARAMETERS, at=T0, mono=self.mono))

    def is_seen(self, quantity: str, *, liquidation: str = "0") -> Sequence[Command]:
        held = HeldPosition(
            symbol=self.position.symbol,
            quantity=Decimal(quantity),
            entry_price=Decimal(100),
            mark_price=Decimal(100),
            liquidation_price=Decimal(liquidation),
        )
        return self._moves(lifecycle.found_held(self.position, held, PARAMETERS, at=T0, mono=self.mono))

    def marked(self, mark: str, *, after: float = 0.0) -> Sequence[Command]:
        self.mono += after
        return self._moves(lifecycle.on_mark(self.position, Decimal(mark), PARAMETERS, mono=self.mono))

    def tightens(self, price: str) -> Sequence[Command]:
        return self._moves(lifecycle.tighten(self.position, Decimal(price), self.mono))

    def closes(self, reason: ExitReason) -> Sequence[Command]:
        return self._moves(lifecycle.request_close(self.position, reason, mono=self.mono))

    def restarts(self) -> Sequence[Command]:
        self.mono = 5.0  # another process, whose clock began at another time
        return self._moves(lifecycle.resumed(self.position, mono=self.mono))

    def _moves(self, step: Step) -> Sequence[Command]:
        self.position = self._take(step)
        return step.commands

    def _take(self, step: Step) -> Position:
        self.sent.extend(step.commands)
        self.concerns.extend(step.concerns)
        return step.position

    # --- reports ---

    def id(self, role: Role, attempt: int = 1) -> str:
        return client_order_id(self.position.position_id, role, attempt)

    def prepared(self, leverage: int = 3) -> SymbolPrepared:
        return SymbolPrepared(
            position_id=self.position.position_id, symbol=self.position.symbol, leverage=leverage, at=T0
        )

    def filled(
        self, quantity: str = "10", price: str = "100", *, opening: bool = True, by: str | None = None
    ) -> OrderFilled:
        side = self.position.side if opening else self.position.side.opposite
        return OrderFilled(
            symbol=self.position.symbol,
            client_order_id=self.id(Role.ENTRY if opening else Role.STOP) if by is None else by,
            venue_order_id="1",
            trade_id=str(next(self._trades)),
            side=side,
            quantity=Decimal(quantity),
            price=Decimal(price),
            fee=Decimal("0.5"),
            realised_pnl=Decimal(0),
            at=T0,
        )

    def ended(self, quantity: str = "10") -> OrderEnded:
        return OrderEnded(
            symbol=self.position.symbol, client_order_id=self.id(Role.ENTRY), filled=Decimal(quantity), at=T0
        )

    def conditional(
        self, role: Role, status: ConditionalStatus = ConditionalStatus.NEW, attempt: int = 1
    ) -> ConditionalChanged:
        triggered = status in {ConditionalStatus.TRIGGERED, ConditionalStatus.FINISHED}
        return ConditionalChanged(
            symbol=self.position.symbol,
            client_order_id=self.id(role, attempt),
            status=status,
            at=T0,
            venue_order_id=f"order of {role}" if triggered else "",
        )

    def rejected(self, role: Role, code: int, attempt: int = 1) -> OrderRejected:
        return OrderRejected(
            position_id=self.position.position_id,
            symbol=self.position.symbol,
            client_order_id=self.id(role, attempt),
            code=code,
            message="no",
            at=T0,
        )

    def unknown(self, role: Role, attempt: int = 1) -> OrderUnknown:
        return OrderUnknown(
            position_id=self.position.position_id,
            symbol=self.position.symbol,
            client_order_id=self.id(role, attempt),
            message="timeout",
            at=T0,
        )

    def absent(self, role: Role, attempt: int = 1) -> OrderAbsent:
        return OrderAbsent(
            position_id=self.position.position_id,
            symbol=self.position.symbol,
            client_order_id=self.id(role, attempt),
            at=T0,
        )


def entering(intent: PositionPlan | None = None) -> Life:
    life = Life(intent)
    life.hears(life.prepared())
    return life


def open_life(intent: PositionPlan | None = None) -> Life:
    life = entering(intent)
    life.hears(life.filled())
    life.hears(life.ended())
    life.hears(life.conditional(Role.STOP))
    life.hears(life.conditional(Role.TARGET))
    return life
