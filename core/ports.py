"""What the core needs from the world. Adapters implement these by shape, not by inheritance."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Protocol

from core.income import Income
from core.instruments import Instrument
from core.journal import Entry
from core.market import CandleHistory, MinuteClosed
from core.notices import Notice
from core.orders import (
    AccountRead,
    CancelConditional,
    CloseAtMarket,
    Command,
    PlaceConditional,
    QueryOrder,
    Report,
    RestingConditional,
    RestingOrder,
    SubmitEntry,
)
from core.positions import Position, Source
from core.risk_state import RiskState
from core.signals import Candidate
from core.trades import TradeRecord, TradeResult


class Exchange(Protocol):
    """The order side of one account at one futures venue.

    Every method may raise ``ExchangeRefused`` (the venue said no; nothing happened),
    ``RateLimited`` (a refusal with a time) or ``ExchangeUnavailable`` (nobody knows). What an accepted
    order became arrives on ``reports``, not in the reply.
    """

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return every tradable contract by symbol, brackets included where keys allow it."""
        ...

    async def account(self) -> AccountRead: ...

    async def prepare(self, symbol: str, leverage: int) -> int:
        """Set isolated margin and leverage, read both back, and return the leverage in force."""
        ...

    async def submit(self, order: SubmitEntry | CloseAtMarket) -> None: ...

    async def place(self, conditional: PlaceConditional) -> None: ...

    async def cancel(self, conditional: CancelConditional) -> None:
        """Cancel a resting stop or target. One that no longer exists is not an error."""
        ...

    async def find(self, query: QueryOrder) -> Sequence[Report]:
        """Return what is known of one order as reports (fills included), empty when it is not found."""
        ...

    async def open_conditionals(self, symbol: str | None = None) -> Sequence[RestingConditional]:
        """Return every resting conditional of the account, or of one symbol, whoever placed it."""
        ...

    async def open_orders(self) -> Sequence[RestingOrder]:
        """Return every open order of the regular book, whoever placed it."""
        ...

    async def incomes(self, since: int) -> Sequence[Income]:
        """Return every change of the wallet since then (market ms), as far back as the venue remembers."""
        ...

    def reports(self) -> AsyncIterator[Report]:
        """Yield account news as it arrives; reconnects by itself and yields ``StreamLost`` for each gap."""
        ...

    async def close(self) -> None: ...


class Execution(Protocol):
    """Carries commands to a venue. Reports known at once are returned; the rest come as events later."""

    def submit(self, command: Command) -> Sequence[Report]: ...


class MarketData(Protocol):
    """The whole market, minute by minute."""

    async def history(
        self, symbol: str, timeframe_ms: int, *, bars: int, before_ms: int | None = None
    ) -> CandleHistory:
        """Fetch at most ``bars`` closed candles, the newest last (before ``before_ms`` if given)."""
        ...

    def minutes(self) -> AsyncIterator[MinuteClosed]:
        """Yield each closed minute once, in order."""
        ...


class CandleSource(Protocol):
    """Recorded 1m candles, for the simulator's market and for replay."""

    @property
    def symbols(self) -> tuple[str, ...]: ...

    def minutes(self, start_ms: int, end_ms: int) -> Iterator[MinuteClosed]:
        """Yield every minute that opened in ``[start_ms, end_ms)``."""
        ...


class Scorer(Protocol):
    """Predicts expected gross R of a candidate from the very features that will be stored."""

    def expected_gross_r(self, candidate: Candidate) -> float: ...


class Notifier(Protocol):
    """Tells people. Must never block, nor raise into the caller: trading never waits for talking."""

    def notify(self, notice: Notice) -> None: ...


class Recorder(Protocol):
    """Whatever takes what is to be written down."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Commit all entries in one durable transaction, or none.

        An entry whose ``key`` is already in the journal is skipped, so that the same news twice is
        recorded once. Raises ``JournalError`` when it can not be made durable: no entry may follow.
        """
        ...


class Journal(Recorder, Protocol):
    """The truth on disk. Written synchronously, by the trader alone."""

    def live_positions(self) -> Sequence[Position]:
        """Return the last recorded state of every position that has not closed."""
        ...

    def newest_trades(self, source: Source, limit: int) -> Sequence[TradeRecord]:
        """Return the ``limit`` positions of one book that closed last, in the order of closing."""
        ...

    def results(self) -> Iterator[TradeResult]:
        """Yield how every closed position ended, in the order of closing: what there is to learn from all."""
        ...

    def damage(self) -> str:
        """Return which records were found lost or altered with nobody halted for it yet, else nothing."""
        ...

    def risk_state(self) -> RiskState | None:
        """Return the last recorded memory of the risk gate, ``None`` in a journal that has none."""
        ...

    def given_up(self, limit: int) -> Sequence[Position]:
        """Return the last ``limit`` real positions that ended with nothing filled, in the order of ending."""
        ...

    def position_ids(self, limit: int) -> Sequence[str]:
        """Return the ids of the ``limit`` positions that changed last, closed ones too, but no shadows."""
        ...


class TradeSink(Protocol):
    """Where rows of closed trades go; the Parquet trade log implements it."""

    def write(self, records: Sequence[TradeRecord]) -> None: ...
