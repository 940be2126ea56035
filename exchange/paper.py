"""A venue made of closed candles: virtual positions, paper trading and replay trade here.

Orders sent after one candle fill at the open of the next, worse by the slippage. Resting stops and targets
are judged against each candle's range, the stop first when one candle spans both, because a candle does not
say which came first. Liquidation is not modelled: no plan is made whose liquidation is not at least twice
as far as its stop.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from core.income import ReadIncomes
from core.instruments import Instrument, InstrumentStatus
from core.market import MINUTE_MS, MinuteClosed, Prices
from core.orders import (
    AccountRead,
    CancelConditional,
    CloseAtMarket,
    Command,
    ConditionalChanged,
    ConditionalsListed,
    ConditionalStatus,
    ListConditionals,
    OrderAbsent,
    OrderEnded,
    OrderFilled,
    PlaceConditional,
    PrepareSymbol,
    QueryOrder,
    ReadAccount,
    ReadContract,
    Report,
    RestingConditional,
    SubmitEntry,
    SymbolPrepared,
)
from core.parameters import CostParameters
from core.positions import Position
from core.signals import Side
from exchange.paper_wallet import PaperWallet

HOUR_MS = 60 * MINUTE_MS


class PaperExchange:
    """One paper account; implements ``core.ports.Execution`` and is driven by closed minutes."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        *,
        deposit: Decimal,
        costs: CostParameters | None = None,
    ) -> None:
        self._instruments = instruments
        self._costs = costs or CostParameters()
        self._wallet = PaperWallet(deposit)
        self._waiting: list[SubmitEntry | CloseAtMarket] = []
        self._now = 0
        self._account: AccountRead | None = None

    @property
    def account(self) -> AccountRead | None:
        """The account as the last minute left it, ``None`` before there was one."""
        return self._account

    def submit(self, command: Command) -> Sequence[Report]:
        """Take one command; market orders wait for the next candle's open."""
        match command:
            case PrepareSymbol():
                return (_prepared(command, self._now),)
            case SubmitEntry() | CloseAtMarket():
                self._waiting.append(command)
                return ()
            case PlaceConditional():
                self._wallet.of(command.symbol).resting[command.client_order_id] = command
                return (_changed(command, ConditionalStatus.NEW, self._now),)
            case CancelConditional():
                self._wallet.of(command.symbol).resting.pop(command.client_order_id, None)
                return ()
            case QueryOrder():
                return self._answer(command)
            case ListConditionals():
                return (self._list(command),)
            case ReadAccount() | ReadContract() | ReadIncomes():
                # The account is read at the end of every minute; before that there is no mark to read it at.
                # No order is ever refused here for its size or price, so nobody needs a contract's terms;
                # and nothing moves this wallet that was not told as it happened.
                return ()

    def withdraw(self, symbol: str) -> bool:
        """Forget an entry that has not been filled; tells whether there was one."""
        kept = [
            each for each in self._waiting if not (isinstance(each, SubmitEntry) and each.symbol == symbol)
        ]
        there_was = len(kept) < len(self._waiting)
        self._waiting = kept
        return there_was

    def follow(self, contracts: Mapping[str, Instrument]) -> None:
        """Trade by these contracts from now on; of others only what is held is remembered."""
        self._instruments = contracts
        self._wallet.forget_all_but(contracts)

    def restore(self, positions: Sequence[Position]) -> None:
        """Hold again what an earlier process held here, with the stops and targets that rested.

        What prices did in between nobody saw: a stop jumped over fills at the next candle's open.
        """
        for position in positions:
            self._wallet.restore(position)

    def open_minute(self, minute: MinuteClosed) -> Sequence[Report]:
        """Fill what waited, at this candle's open; where the candle is missing the order goes on waiting.

        A contract that trades no more has no further candle: what is held of it is settled at its last mark.
        """
        self._now = minute.open_time
        waiting, self._waiting = self._waiting, []
        reports: list[Report] = []
        for order in waiting:
            candle = minute.candle(order.symbol)
            if candle is not None:
                reports.extend(self._fill_at_open(order, candle.open))
            elif self._trades(order.symbol):
                self._waiting.append(order)
            else:
                reports.extend(self._settle(order))
        return reports

    def close_minute(self, minute: MinuteClosed) -> Sequence[Report]:
        """Judge resting stops and targets against the candle, then funding, then read the account."""
        self._now = minute.at
        reports: list[Report] = []
        for symbol in self._wallet.held():
            candle = minute.candle(symbol)
            if candle is not None:
                reports.extend(self._trigger(symbol, candle))
        reports.extend(self._settle_funding(minute))
        self._wallet.mark(minute)
        self._account = self._wallet.read(minute.at)
        return [*reports, self._account]

    def look(self, marks: Mapping[str, Decimal], *, at: int) -> AccountRead:
        """Read the account at these marks, between an earlier process and the first minute of this one."""
        self._wallet.look(marks)
        return self._wallet.read(at)

    def resting(self, symbol: str | None = None) -> tuple[RestingConditional, ...]:
        """Return what rests, on one symbol or all."""
        return tuple(map(_resting, self._wallet.resting(symbol)))

    def _settle(self, order: SubmitEntry | CloseAtMarket) -> Iterator[Report]:
        """End an order that no candle will fill: an entry without one, a close at the last known mark."""
        if isinstance(order, CloseAtMarket):
            yield from self._fill_at_open(order, self._wallet.of(order.symbol).mark)
            return
        yield OrderEnded(
            symbol=order.symbol, client_order_id=order.client_order_id, filled=Decimal(0), at=self._now
        )

    def _trades(self, symbol: str) -> bool:
        contract = self._instruments.get(symbol)
        return contract is not None and contract.status is InstrumentStatus.TRADING

    def _fill_at_open(self, order: SubmitEntry | CloseAtMarket, price: Decimal) -> Iterator[Report]:
        side = order.side if isinstance(order, SubmitEntry) else order.side.opposite
        quantity = order.quantity
        if isinstance(order, CloseAtMarket):
            quantity = min(quantity, abs(self._wallet.of(order.symbol).quantity))
        if quantity:
            yield self._fill(order.symbol, side, quantity, price, order.client_order_id)
        yield OrderEnded(
            symbol=order.symbol, client_order_id=order.client_order_id, filled=quantity, at=self._now
        )

    def _trigger(self, symbol: str, candle: Prices) -> Iterator[Report]:
        holding = self._wallet.of(symbol)
        for resting, price in holding.reached(candle):
            if not holding.quantity:
                return
            del holding.resting[resting.client_order_id]
            quantity = min(resting.quantity or abs(holding.quantity), abs(holding.quantity))
            yield _changed(resting, ConditionalStatus.TRIGGERED, self._now)
            yield self._fill(symbol, resting.side.opposite, quantity, price, resting.client_order_id)
            yield _changed(resting, ConditionalStatus.FINISHED, self._now)

    def _fill(self, symbol: str, side: Side, quantity: Decimal, price: Decimal, order_id: str) -> OrderFilled:
        slipped = self._slip(symbol, price, side)
        fee = slipped * quantity * self._costs.taker_fee
        realised = self._wallet.book(symbol, quantity * side, slipped, fee=fee)
        return OrderFilled(
            symbol=symbol,
            client_order_id=order_id,
            venue_order_id=order_id,
            trade_id=order_id,  # every order here fills at once, and no process uses an id again
            side=side,
            quantity=quantity,
            price=slipped,
            fee=fee,
            realised_pnl=realised,
            at=self._now,
        )

    def _slip(self, symbol: str, price: Decimal, side: Side) -> Decimal:
        worse = price * (1 + side * self._costs.slippage)
        contract = self._instruments.get(symbol)
        if contract is None:
            return worse
        return contract.price_at_or_above(worse) if side is Side.LONG else contract.price_at_or_below(worse)

    def _settle_funding(self, minute: MinuteClosed) -> Sequence[Report]:
        if minute.at % HOUR_MS:
            return ()
        due = {name for name, each in self._instruments.items() if not minute.at % each.funding_interval_ms}
        return self._wallet.settle_funding(minute, due)

    def _answer(self, query: QueryOrder) -> Sequence[Report]:
        """Tell what rests; what was filled was reported then, and what waits for a candle is not over."""
        resting = self._wallet.of(query.symbol).resting.get(query.client_order_id)
        if resting is not None:
            return (_changed(resting, ConditionalStatus.NEW, self._now),)
        if any(each.client_order_id == query.client_order_id for each in self._waiting):
            return ()
        absent = OrderAbsent(
            position_id=query.position_id,
            symbol=query.symbol,
            client_order_id=query.client_order_id,
            at=self._now,
        )
        return (absent,)

    def _list(self, command: ListConditionals) -> ConditionalsListed:
        return ConditionalsListed(
            position_id=command.position_id,
            symbol=command.symbol,
            resting=self.resting(command.symbol),
            at=self._now,
        )


def _prepared(command: PrepareSymbol, at: int) -> SymbolPrepared:
    return SymbolPrepared(
        position_id=command.position_id, symbol=command.symbol, leverage=command.leverage, at=at
    )


def _changed(command: PlaceConditional, status: ConditionalStatus, at: int) -> ConditionalChanged:
    return ConditionalChanged(
        symbol=command.symbol,
        client_order_id=command.client_order_id,
        status=status,
        at=at,
        venue_order_id="" if status is ConditionalStatus.NEW else command.client_order_id,
    )


def _resting(order: PlaceConditional) -> RestingConditional:
    return RestingConditional(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=ConditionalStatus.NEW,
        trigger_price=order.trigger_price,
        quantity=order.quantity,
    )
