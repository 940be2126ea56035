"""Orders as we think of them: commands out, and what venues tell us back. No wire names here."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.income import IncomesListed, ReadIncomes, WalletMoved
from core.instruments import Instrument
from core.signals import Side


class Role(StrEnum):
    """What an order is for; one letter, because client ids are at most 36 characters."""

    ENTRY = "e"
    STOP = "s"
    TRAIL = "r"
    TARGET = "t"
    CLOSE = "c"


# --- commands: what the core wants done -------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSymbol:
    """Set isolated margin and leverage, and read them back, before the first order of a position."""

    position_id: str
    symbol: str
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitEntry:
    """Open at market."""

    position_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceConditional:
    """Rest a stop or target at the venue that closes the position at market, all of it or ``quantity``.

    ``side`` is the position's side; the order goes the other way and can only reduce. Triggered by the
    mark price.
    """

    position_id: str
    client_order_id: str
    symbol: str
    side: Side
    role: Role
    trigger_price: Decimal
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelConditional:
    position_id: str
    client_order_id: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAtMarket:
    """Reduce the position by ``quantity`` at market; can never open or flip one."""

    position_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOrder:
    """Ask what became of an order whose outcome we do not know."""

    position_id: str
    client_order_id: str
    symbol: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConditionals:
    """Ask what rests on a symbol, whoever placed it."""

    position_id: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAccount:
    """Ask what the account holds, because an answer about ``symbol`` did not fit what we believe."""

    position_id: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContract:
    """Ask for the contract's terms, because an order broke one that we did not know of."""

    position_id: str
    symbol: str


Command = (
    PrepareSymbol
    | SubmitEntry
    | PlaceConditional
    | CancelConditional
    | CloseAtMarket
    | QueryOrder
    | ListConditionals
    | ReadAccount
    | ReadContract
    | ReadIncomes
)


# --- reports: what a venue tells us -----------------------------------------------------------------


class ConditionalStatus(StrEnum):
    """Life of a resting stop or target, as Binance's ALGO_UPDATE names it."""

    NEW = "NEW"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolPrepared:
    position_id: str
    symbol: str
    leverage: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected:
    """The venue said no: nothing of this order exists.

    ``code`` is Binance's number, 0 for our own refusal; ``client_order_id`` is empty when what failed was
    about no order: the preparation of the symbol. ``is_barred``: no order of ours would be taken, whatever
    it is about.
    """

    position_id: str
    symbol: str
    client_order_id: str
    code: int
    message: str
    at: int
    is_barred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnknown:
    """Nobody knows whether the order exists. Never resend before proof of absence.

    ``asked`` says that it was the question about the order that met silence: it is asked again in its own
    time, not at once, for in a ban every question fails on the spot.
    """

    position_id: str
    symbol: str
    client_order_id: str
    message: str
    at: int
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAbsent:
    """A query did not find the order. Soon after sending this proves nothing yet."""

    position_id: str
    symbol: str
    client_order_id: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """One execution. ``side`` is the order's own direction; ``fee`` is in USDT, positive is paid.

    ``trade_id`` is unique a symbol and dedupes replays; ``client_order_id`` is empty where the venue
    made the order itself (a triggered conditional, a liquidation).
    """

    symbol: str
    client_order_id: str
    venue_order_id: str
    trade_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    realised_pnl: Decimal
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEnded:
    """A market order reached its end: ``filled`` is all it will ever have filled."""

    symbol: str
    client_order_id: str
    filled: Decimal
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalChanged:
    """News of a resting stop or target; ``venue_order_id`` names the order it became once triggered."""

    symbol: str
    client_order_id: str
    status: ConditionalStatus
    at: int
    venue_order_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingConditional:
    """A conditional order as the venue lists it; ``quantity`` is ``None`` where it closes the position."""

    client_order_id: str
    symbol: str
    status: ConditionalStatus
    trigger_price: Decimal
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalsListed:
    """The whole answer to ``ListConditionals``."""

    position_id: str
    symbol: str
    resting: tuple[RestingConditional, ...]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRead:
    """The answer to ``ReadContract``."""

    position_id: str
    symbol: str
    instrument: Instrument
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingOrder:
    """An open order of the regular book."""

    client_order_id: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPaid:
    """A funding settlement; ``amount`` in USDT, negative is paid by us.

    ``income_id`` is the exchange's, by which the same one is booked once; empty where it is told only once.
    """

    symbol: str
    amount: Decimal
    at: int
    income_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPosition:
    """One open position as the venue sees it: ``quantity`` is signed, ``updated_at`` its last change (ms)."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal
    liquidation_price: Decimal
    leverage: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRead:
    """Balance and positions, read whole at ``at``; all amounts in USDT.

    ``equity`` = wallet + unrealised PnL at mark. ``updated_at`` is the last change the answer knows of
    (exchange ms, 0 where it does not tell): an answer may be older than its question. What it says of the
    symbols in ``unreadable`` could not be read; of which symbols, where a name was not to be read either, is
    not known (``is_torn``). ``is_paper``: nothing moves this wallet but the fills and funding it has told.
    """

    wallet: Decimal
    equity: Decimal
    available: Decimal
    positions: tuple[HeldPosition, ...]
    at: int
    updated_at: int = 0
    unreadable: frozenset[str] = frozenset()
    is_torn: bool = False
    is_paper: bool = False

    def may_hold(self, symbol: str) -> bool:
        """Whether a symbol without a position here may be held all the same."""
        return self.is_torn or symbol in self.unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSurvey:
    """Everything the venue knows of the account, each part read whole; ``at`` is when the first was asked."""

    account: AccountRead
    conditionals: tuple[RestingConditional, ...]
    orders: tuple[RestingOrder, ...]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLost:
    """The venue's news of our account stopped; what happened since must be read by REST."""

    at: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUnreadable:
    """The account could not be read for long: what we know of it grows old. It says nothing about it.

    ``is_refused``: the exchange does not let us in, as we are; to go on asking does not help.
    """

    at: int
    reason: str
    is_refused: bool = False


Report = (
    SymbolPrepared
    | OrderRejected
    | OrderUnknown
    | OrderAbsent
    | OrderFilled
    | OrderEnded
    | ConditionalChanged
    | ConditionalsListed
    | ContractRead
    | FundingPaid
    | IncomesListed
    | WalletMoved
    | AccountRead
    | AccountSurvey
    | AccountUnreadable
    | StreamLost
)
