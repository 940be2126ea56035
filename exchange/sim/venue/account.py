"""One account of the venue: its wallet, positions, orders, records, and the events not yet delivered."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from exchange.sim.venue.conditionals import ConditionalOrder
from exchange.sim.venue.orders import Order
from exchange.sim.venue.positions import FLAT, ZERO, Position
from exchange.sim.venue.terms import MarginType, PositionSide, Side

PositionKey = tuple[str, PositionSide]
Payload = dict[str, Any]
DEFAULT_LEVERAGE = 20
"""What Binance gives a new account, where the symbol allows it."""


class IncomeKind(StrEnum):
    TRANSFER = "TRANSFER"
    REALISED = "REALIZED_PNL"
    COMMISSION = "COMMISSION"
    FUNDING = "FUNDING_FEE"
    INSURANCE = "INSURANCE_CLEAR"
    SETTLEMENT = "DELIVERED_SETTELMENT"  # Binance spells it so


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    trade_id: int
    order_id: int
    symbol: str
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    realised: Decimal
    commission: Decimal
    is_maker: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """One change of the wallet; the wallet is the sum of these."""

    kind: IncomeKind
    symbol: str
    amount: Decimal
    at_ms: int
    income_id: int
    trade_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One change of a resting order: price and quantity, before and after."""

    order: Order
    at_ms: int
    price: tuple[Decimal, Decimal]
    quantity: tuple[Decimal, Decimal]


@dataclass(slots=True, kw_only=True)
class SymbolSettings:
    leverage: int
    margin_type: MarginType = MarginType.CROSSED


class Account:
    """State only; the desks decide, and write here."""

    def __init__(self, name: str, max_leverage: Callable[[str], int]) -> None:
        self.name = name
        self._max_leverage = max_leverage
        self.cross_wallet = ZERO
        self.maker_rate = Decimal("0.0002")  # binance.md §2.8: tier 0
        self.taker_rate = Decimal("0.0005")
        self.is_hedged = False
        self.is_multi_assets = False
        self.burns_fees = False
        self.key_rights: dict[str, bool] = {}  # where they differ from those of a key that only trades
        self.margin_called: set[PositionKey] = set()
        self.positions: dict[PositionKey, Position] = {}
        self.realised: dict[PositionKey, Decimal] = {}  # before fees, since ever: ``cr`` on the wire
        self.settings: dict[str, SymbolSettings] = {}
        self.orders: dict[int, Order] = {}
        self.open_orders: dict[int, Order] = {}
        self.conditionals: dict[int, ConditionalOrder] = {}
        self.open_conditionals: dict[int, ConditionalOrder] = {}
        self.trades: list[Trade] = []
        self.incomes: list[Income] = []
        self.amendments: list[Amendment] = []
        self.margin_changes: list[tuple[int, PositionKey, Decimal]] = []
        self.cancel_deadlines: dict[str, int] = {}
        self.updated_ms = 0
        self._outbox: list[Payload] = []

    @property
    def wallet(self) -> Decimal:
        return self.cross_wallet + sum((each.isolated_wallet for each in self.positions.values()), ZERO)

    @property
    def is_live(self) -> bool:
        """Say whether anything here can be moved by the market."""
        return bool(self.positions or self.open_orders or self.open_conditionals or self.cancel_deadlines)

    def position(self, symbol: str, position_side: PositionSide) -> Position:
        return self.positions.get((symbol, position_side), FLAT)

    def hold(self, symbol: str, position_side: PositionSide, position: Position) -> None:
        """Keep a position; a flat one is forgotten."""
        if position.is_flat:
            self.positions.pop((symbol, position_side), None)
            return
        self.positions[symbol, position_side] = position

    def closable(self, symbol: str, position_side: PositionSide, side: Side) -> Decimal:
        """Return how much an order of ``side`` can reduce; zero where it would open."""
        held = self.position(symbol, position_side).quantity
        return abs(held) if held * side.sign < 0 else ZERO

    def setting(self, symbol: str) -> SymbolSettings:
        """Return the symbol's leverage and margin type, to be read or written."""
        if symbol not in self.settings:
            leverage = min(DEFAULT_LEVERAGE, self._max_leverage(symbol))
            self.settings[symbol] = SymbolSettings(leverage=leverage)
        return self.settings[symbol]

    def is_isolated(self, symbol: str) -> bool:
        return self.setting(symbol).margin_type is MarginType.ISOLATED

    def book(
        self, kind: IncomeKind, symbol: str, amount: Decimal, *, at_ms: int, trade_id: int | None = None
    ) -> None:
        """Record a change of the wallet; the caller has made it."""
        if amount:
            self.incomes.append(
                Income(
                    kind=kind,
                    symbol=symbol,
                    amount=amount,
                    at_ms=at_ms,
                    income_id=len(self.incomes) + 1,
                    trade_id=trade_id,
                )
            )
        self.updated_ms = at_ms

    def push(self, payload: Payload) -> None:
        self._outbox.append(payload)

    def drain(self) -> list[Payload]:
        """Return the user-data events since the last call, oldest first."""
        drained, self._outbox = self._outbox, []
        return drained
