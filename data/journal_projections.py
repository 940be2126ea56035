"""What the journal's events add up to, kept in the same transaction: positions, trades and equity."""

import sqlite3

from core.journal import IntentRecorded, MinuteJudged, PositionChanged, PositionClosed, SignalJudged
from core.positions import Position
from core.trades import TradeRecord
from data.journal_chain import StoredEvent


def base_of(connection: sqlite3.Connection, body: object) -> tuple[int, str | bytes] | None:
    """Return the number and stored payload of the intent that ``body`` repeats, if there is one."""
    match body:
        case PositionChanged(position=position) | PositionClosed(position=position):
            position_id = position.position_id
        case SignalJudged(signal=signal, verdict=verdict):
            position_id = f"{verdict}:{signal.candidate.signal_id}"
        case _:
            return None
    found: tuple[int, str | bytes] | None = connection.execute(
        "SELECT events.seq, payload FROM positions JOIN events ON events.seq = intent WHERE position_id = ?",
        (position_id,),
    ).fetchone()
    return found


def project(connection: sqlite3.Connection, event: StoredEvent, body: object) -> None:
    """Bring the projections up to date with one event; most kinds change none."""
    match body:
        case IntentRecorded(plan=plan):
            _keep_position(connection, event, Position(plan=plan), intent=event.seq)
        case PositionChanged(position=position):
            _keep_position(connection, event, position)
        case PositionClosed(position=position, snapshot=snapshot):
            _keep_position(connection, event, position)
            _keep_trade(connection, event, TradeRecord(position=position, snapshot=snapshot))
        case MinuteJudged(equity=equity) if equity:
            connection.execute("INSERT OR REPLACE INTO equity VALUES (?, ?)", (event.at, equity))
        case _:
            pass


def _keep_position(
    connection: sqlite3.Connection, event: StoredEvent, position: Position, *, intent: int | None = None
) -> None:
    """Point to the event that tells the position's state; the row outlives it, so none is opened twice."""
    connection.execute(
        "INSERT INTO positions (position_id, source, symbol, stage, seq, intent) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (position_id) DO UPDATE SET stage = excluded.stage, seq = excluded.seq",
        (position.position_id, position.plan.source, position.symbol, position.stage, event.seq, intent),
    )


def _keep_trade(connection: sqlite3.Connection, event: StoredEvent, trade: TradeRecord) -> None:
    position = trade.position
    candidate = position.plan.candidate
    row = {
        "trade_id": position.position_id,
        "source": trade.source,
        "strategy": candidate.strategy,
        "symbol": trade.symbol,
        "side": trade.side.name.lower(),
        "opened_at": position.opened_at,
        "closed_at": position.closed_at,
        "duration_ms": _duration_ms(position),
        "quantity": str(position.entered),
        "entry_price": str(position.entry_price),
        "exit_price": None if position.exit_price is None else str(position.exit_price),
        "gross_pnl": str(position.gross_pnl),
        "net_pnl": str(position.net_pnl),
        "fees": str(position.fees),
        "funding": str(position.funding),
        "gross_r": trade.gross_r,
        "net_r": trade.net_r,
        "confidence": candidate.confidence,
        "exit_reason": trade.exit_reason,
        "seq": event.seq,
    }
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT OR REPLACE INTO trades ({names}) VALUES ({marks})", row)  # noqa: S608 (our names)


def _duration_ms(position: Position) -> int | None:
    if position.opened_at is None or position.closed_at is None:
        return None
    return position.closed_at - position.opened_at
