"""What the journal's events add up to, kept in the same transaction: positions, trades and equity."""

import sqlite3

from core.journal import IntentRecorded, MinuteJudged, PositionChanged, PositionClosed
from core.positions import Position, Stage
from core.trades import TradeRecord
from data.codec import encode
from data.journal_chain import StoredEvent


def project(connection: sqlite3.Connection, event: StoredEvent, body: object) -> None:
    """Bring the projections up to date with one event; most kinds change none."""
    match body:
        case IntentRecorded(plan=plan):
            _keep_position(connection, event, Position(plan=plan))
        case PositionChanged(position=position):
            _keep_position(connection, event, position)
        case PositionClosed(position=position, snapshot=snapshot):
            _forget_position(connection, event, position)
            _keep_trade(connection, event, TradeRecord(position=position, snapshot=snapshot))
        case MinuteJudged(equity=equity) if equity:
            connection.execute("INSERT OR REPLACE INTO equity VALUES (?, ?)", (event.at, equity))
        case _:
            pass


def _keep_position(connection: sqlite3.Connection, event: StoredEvent, position: Position) -> None:
    if not position.is_live:
        _forget_position(connection, event, position)
        return
    _write_position(connection, event, position, stage=position.stage, state=encode(position).decode())


def _forget_position(connection: sqlite3.Connection, event: StoredEvent, position: Position) -> None:
    """The row stays, so that a position is never opened twice; its state lives on in the events."""
    _write_position(connection, event, position, stage=Stage.CLOSED, state=None)


def _write_position(
    connection: sqlite3.Connection, event: StoredEvent, position: Position, *, stage: Stage, state: str | None
) -> None:
    connection.execute(
        "INSERT INTO positions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (position_id)"
        " DO UPDATE SET stage = excluded.stage, state = excluded.state, seq = excluded.seq",
        (position.position_id, position.plan.source, position.symbol, stage, state, event.seq),
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
