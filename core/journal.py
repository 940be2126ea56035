"""What is written down before it is acted on: the entries of the journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.income import Income
from core.inputs import MarketRead, WarmUp
from core.market import Floats
from core.operation import OperatorRequest
from core.orders import Command, Report
from core.positions import Position, PositionPlan
from core.risk_state import RiskState
from core.signals import RankedSignal
from core.trades import TradeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteJudged:
    """One scanned minute: enough to prove that a replay saw the same candles (``row_sha256``) and the same
    books, marks, rates and volumes (``context_sha256``); those of signals stand whole in ``SignalJudged``.

    ``absent`` were late or missing; what came of them later, and every first history, is in ``warmed``, in
    the order it was taken in before this minute. ``axis`` is given where it is not that of the minute before.
    ``equity`` and ``available`` are in USDT as read at ``equity_at`` (ms), empty before the first read.
    """

    row_sha256: str
    symbols: int
    absent: tuple[str, ...]
    ranked: int
    equity: str
    equity_at: int | None = None
    available: str = ""
    context_sha256: str = ""
    axis: tuple[str, ...] = ()
    warmed: tuple[WarmUp, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalJudged:
    """A ranked signal and what became of it: ``verdict`` is real, virtual or refused.

    ``market`` is what was known beside candles; entries of older versions have none.
    """

    signal: RankedSignal
    verdict: str
    reasons: tuple[str, ...]
    market: MarketRead | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRecorded:
    """A position is about to be opened. Committed before its first order leaves."""

    plan: PositionPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSent:
    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReceived:
    """A venue's report; ``book`` tells the real account's from the paper one's."""

    book: str
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionChanged:
    """The whole position after a change, so that a restart can go on from the last one."""

    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionClosed:
    """A position that held something has ended; ``snapshot`` as in ``core.trades.TradeRecord``."""

    position: Position
    snapshot: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskChanged:
    """The risk gate's whole memory after a change: the last one is what a restart begins with."""

    state: RiskState


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeBooked:
    """The wallet has moved, and this is why; its key is the exchange's own id."""

    income: Income


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorActed:
    """A person asked for something."""

    request: OperatorRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A process began to write: what it is, and every number and setting it decides by, secrets left out.

    ``parameters`` and ``settings`` are as text by name; ``axis`` is the order of the symbols in each minute.
    """

    mode: str
    version: str
    parameters: Mapping[str, str]
    account: str = ""
    parameters_sha256: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    axis: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageFound:
    """Records were found missing or altered when the journal was opened: ``what`` names them."""

    what: str


Body = (
    MinuteJudged
    | SignalJudged
    | IntentRecorded
    | CommandSent
    | ReportReceived
    | PositionChanged
    | PositionClosed
    | RiskChanged
    | IncomeBooked
    | OperatorActed
    | RunStarted
    | DamageFound
)


class EntryKind(StrEnum):
    """Name of each body in the journal's ``kind`` column; never renamed once released."""

    MINUTE = "minute"
    SIGNAL = "signal"
    INTENT = "intent"
    COMMAND = "command"
    REPORT = "report"
    POSITION = "position"
    TRADE = "trade"
    RISK = "risk"
    INCOME = "income"
    OPERATOR = "operator"
    RUN = "run"
    DAMAGE = "damage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One journal event. ``key`` is unique in the journal where given, which makes it exactly-once.

    ``at`` is when it happened in market time, ``seen_at`` when we learned of it, both in ms.
    """

    body: Body
    at: int
    seen_at: int
    key: str | None = None


def ending(trade: TradeRecord, *, seen_at: int) -> Entry:
    """Return the entry that a position ends with; its key keeps a trade from being written twice."""
    return Entry(
        body=PositionClosed(position=trade.position, snapshot=trade.snapshot),
        at=trade.position.ended_at,
        seen_at=seen_at,
        key=f"closed:{trade.position.position_id}",
    )
