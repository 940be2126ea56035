"""A venue small enough to be obviously right: one symbol, one account, Binance's answers to our orders."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import count

from core.income import ReadIncomes
from core.orders import (
    AccountRead,
    CancelConditional,
    CloseAtMarket,
    Command,
    ConditionalChanged,
    ConditionalsListed,
    ConditionalStatus,
    HeldPosition,
    ListConditionals,
    OrderAbsent,
    OrderEnded,
    OrderFilled,
    OrderRejected,
    PlaceConditional,
    PrepareSymbol,
    QueryOrder,
    ReadAccount,
    ReadContract,
    Report,
    RestingConditional,
    Role,
    SubmitEntry,
    SymbolPrepared,
)
from core.signals import Side
from tests.builders import SYMBOL, T0


class ModelVenue:
    """``carry_out`` returns the reply; what streams would tell waits in ``news``."""

    def __init__(self) -> None:
        self.quantity = Decimal(0)
        self.price = Decimal(100)
        self.resting: dict[str, PlaceConditional] = {}
        self.trades: list[OrderFilled] = []
        self.entries = 0
        self.news: list[Report] = []
        self._ended: dict[str, Decimal] = {}
        self._last: dict[str, ConditionalChanged] = {}
        self._numbers = count(1)

    def carry_out(self, command: Command) -> Sequence[Report]:  # noqa: C901, PLR0911 - one answer a command
        match command:
            case PrepareSymbol():
                identity = {"position_id": command.position_id, "symbol": SYMBOL}
                return (SymbolPrepared(**identity, leverage=command.leverage, at=T0),)
            case SubmitEntry():
                self.entries += 1
                half = (command.quantity / 2).quantize(Decimal("0.01"))
                for part in (half, command.quantity - half):
                    self._fill(command.client_order_id, part * command.side)
                return self._end(command.client_order_id, command.quantity)
            case CloseAtMarket():
                if not self.quantity:
                    return (_rejected(command, -2022),)
                quantity = min(command.quantity, abs(self.quantity))
                self._fill(command.client_order_id, -quantity * command.side)
                return self._end(command.client_order_id, quantity)
            case PlaceConditional():
                return self._place(command)
            case CancelConditional():
                if command.client_order_id in self.resting:
                    self._leave(command.client_order_id, ConditionalStatus.CANCELED)
                return ()
            case QueryOrder():
                return self._find(command)
            case ListConditionals():
                return (self.list(command.position_id),)
            case ReadContract() | ReadIncomes():
                return ()
            case ReadAccount():
                return (self.read(),)

    def move(self, price: Decimal) -> None:
        """Let the mark go to ``price`` and trigger what it reaches."""
        self.price = price
        for resting in sorted(self.resting.values(), key=lambda each: each.role is Role.TARGET):
            if resting.client_order_id in self.resting and self._is_past(resting):
                self._trigger(resting)

    def read(self) -> AccountRead:
        held = HeldPosition(
            symbol=SYMBOL,
            quantity=self.quantity,
            entry_price=Decimal(100),
            mark_price=self.price,
            liquidation_price=Decimal(0),
        )
        money = Decimal(10_000)
        positions = (held,) if self.quantity else ()
        return AccountRead(wallet=money, equity=money, available=money, positions=positions, at=T0)

    def list(self, position_id: str = "") -> ConditionalsListed:
        resting = tuple(
            RestingConditional(
                client_order_id=each.client_order_id,
                symbol=SYMBOL,
                status=ConditionalStatus.NEW,
                trigger_price=each.trigger_price,
                quantity=each.quantity,
            )
            for each in self.resting.values()
        )
        return ConditionalsListed(position_id=position_id, symbol=SYMBOL, resting=resting, at=T0)

    def _place(self, order: PlaceConditional) -> Sequence[Report]:
        closes_all = order.quantity is None
        if closes_all and not self.quantity:
            return (_rejected(order, -4509),)
        if self._is_past(order):
            return (_rejected(order, -2021),)
        is_target = order.role is Role.TARGET
        twice = any(
            each.quantity is None and (each.role is Role.TARGET) == is_target
            for each in self.resting.values()
        )
        if closes_all and twice:
            return (_rejected(order, -4130),)
        self.resting[order.client_order_id] = order
        return (self._tell(order.client_order_id, ConditionalStatus.NEW),)

    def _is_past(self, order: PlaceConditional) -> bool:
        way = order.side if order.role is Role.TARGET else -order.side
        return (self.price - order.trigger_price) * way >= 0

    def _trigger(self, order: PlaceConditional) -> None:
        del self.resting[order.client_order_id]
        if not self.quantity:
            self._tell(order.client_order_id, ConditionalStatus.REJECTED)
            return
        quantity = min(order.quantity or abs(self.quantity), abs(self.quantity))
        self._tell(order.client_order_id, ConditionalStatus.TRIGGERED, became=str(next(self._numbers)))
        self._fill(order.client_order_id, -quantity * order.side)

    def _fill(self, order_id: str, signed: Decimal) -> None:
        self.quantity += signed
        number = str(next(self._numbers))
        fill = OrderFilled(
            symbol=SYMBOL,
            client_order_id=order_id,
            venue_order_id=number,
            trade_id=number,
            side=Side.LONG if signed > 0 else Side.SHORT,
            quantity=abs(signed),
            price=self.price,
            fee=Decimal(0),
            realised_pnl=Decimal(0),
            at=T0,
        )
        self.trades.append(fill)
        self.news.append(fill)
        if not self.quantity:  # what closes whole positions lives no longer than they do
            for each in [each for each in self.resting.values() if each.quantity is None]:
                self._leave(each.client_order_id, ConditionalStatus.EXPIRED)

    def _end(self, order_id: str, filled: Decimal) -> Sequence[Report]:
        self._ended[order_id] = filled
        self.news.append(OrderEnded(symbol=SYMBOL, client_order_id=order_id, filled=filled, at=T0))
        return ()

    def _leave(self, order_id: str, status: ConditionalStatus) -> None:
        del self.resting[order_id]
        self._tell(order_id, status)

    def _tell(self, order_id: str, status: ConditionalStatus, became: str = "") -> ConditionalChanged:
        changed = ConditionalChanged(
            symbol=SYMBOL, client_order_id=order_id, status=status, at=T0, venue_order_id=became
        )
        self._last[order_id] = changed
        self.news.append(changed)
        return changed

    def _find(self, query: QueryOrder) -> Sequence[Report]:
        order_id = query.client_order_id
        fills = tuple(each for each in self.trades if each.client_order_id == order_id)
        if order_id in self._last:
            return (self._last[order_id], *fills)
        if order_id in self._ended:
            filled = self._ended[order_id]
            return (*fills, OrderEnded(symbol=SYMBOL, client_order_id=order_id, filled=filled, at=T0))
        return (OrderAbsent(position_id=query.position_id, symbol=SYMBOL, client_order_id=order_id, at=T0),)


def _rejected(order: CloseAtMarket | PlaceConditional, code: int) -> OrderRejected:
    return OrderRejected(
        position_id=order.position_id,
        symbol=SYMBOL,
        client_order_id=order.client_order_id,
        code=code,
        message="no",
        at=T0,
    )
