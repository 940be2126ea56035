"""Gathers what a minute's decisions read, so that the journal can prove a replay saw the same."""

from hashlib import sha256

import numpy as np

from core.inputs import MarketRead, WarmUp, digest_of
from core.journal import MinuteJudged
from core.market import CandleHistory, MarketContext, MinuteClosed, SymbolAxis
from services.risk_desk import RiskDesk


class Inputs:
    """Notes histories as they come, and makes each minute's entry.

    The candles themselves are in the archive; of markets without a signal, which no decision turned on, the
    entry holds a hash.
    """

    def __init__(self, desk: RiskDesk, axis: SymbolAxis) -> None:
        self._desk = desk
        self._axis = axis
        self._warmed: list[WarmUp] = []

    def warmed(self, history: CandleHistory) -> None:
        """Note what a symbol was given outside the minutes."""
        times = history.open_times
        self._warmed.append(
            WarmUp(
                symbol=history.symbol,
                timeframe_ms=history.timeframe_ms,
                first=int(times[0]) if len(times) else 0,
                last=int(times[-1]) if len(times) else 0,
                candles=len(times),
                digest=digest_of(history.candles),
                starts_over=history.starts_over,
            )
        )

    def entry(self, minute: MinuteClosed, *, ranked: int) -> MinuteJudged:
        """Return the minute's entry, with all that was noted since the one before."""
        warmed, self._warmed = tuple(self._warmed), []
        before, self._axis = self._axis, minute.axis
        account = self._desk.account_read
        return MinuteJudged(
            row_sha256=sha256(minute.row.tobytes()).hexdigest(),
            symbols=len(minute.symbols),
            absent=_absent(minute),
            ranked=ranked,
            equity=str(account.equity) if account else "",
            equity_at=account.at if account else None,
            available=str(account.available) if account else "",
            context_sha256=_context_hash(minute.context),
            axis=minute.symbols if minute.axis != before else (),
            warmed=warmed,
        )

    def market(self, symbol: str, minute: MinuteClosed) -> MarketRead:
        """Return what was known of a followed symbol beside its candles."""
        column = minute.index_of(symbol)
        mark = float(minute.context.mark[column]) if column is not None else np.nan
        return MarketRead.of(self._desk.context(symbol, minute), mark=mark)


def _absent(minute: MinuteClosed) -> tuple[str, ...]:
    present = minute.present.tolist()
    return tuple(symbol for symbol, there in zip(minute.symbols, present, strict=True) if not there)


def _context_hash(context: MarketContext) -> str:
    known = (context.bid, context.ask, context.mark, context.funding_rate, context.quote_volume_24h)
    return sha256(np.stack(known).tobytes()).hexdigest()
