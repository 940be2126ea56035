"""Reading the journal, while another process may be writing it."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple, Never

from core.errors import JournalError
from core.orders import Role
from core.positions import Position, Source, Stage
from core.risk_state import RiskState
from core.trades import TradeRecord, TradeResult
from data.journal_events import EventReader, Naming, Unreadable
from data.journal_told import damage_in, position_in, risk_state_in, state_of, trade_in

_ON_PAPER = frozenset(Source) - {Source.REAL}


def refuse(what: str) -> Never:
    raise JournalError(f"The journal is damaged: {what}.")


class _Live(NamedTuple):
    """What the table of positions says of one that has not closed; ``seq`` tells its newest state."""

    seq: int
    position_id: str
    source: str
    stage: str


class JournalReader(EventReader):
    """Questions to a journal. Every method raises ``JournalError`` where the file can not answer.

    Where ``damaged`` is given, records that can not be read are named to it and left out instead.
    """

    def live_positions(self, damaged: Naming = refuse, *, lost: Naming = refuse) -> Sequence[Position]:
        """Return the last recorded state of every position that has not closed, oldest change first.

        Of a real one, which the exchange will be asked about anyway, the newest state that can be read; it is
        named to ``lost`` where there is none that knows of its orders.
        """
        rows = self._all(
            "SELECT seq, position_id, source, stage FROM positions WHERE stage <> 'closed' ORDER BY seq"
        )
        found = (self._state_of(_Live(*row), damaged, lost) for row in rows)
        return [each for each in found if each is not None]

    def closed_trades(self) -> Iterator[TradeRecord]:
        """Yield every closed position in the order of closing, reading a few hundred at a time."""
        for event in self._events("JOIN trades ON trades.seq = events.seq"):
            with self._translated():
                trade = trade_in(event.entry().body)
            yield trade

    def newest_trades(self, source: Source, limit: int, damaged: Naming = refuse) -> Sequence[TradeRecord]:
        """Return the ``limit`` positions of one book that closed last, in the order of closing."""
        query = "SELECT seq FROM trades WHERE source = ? ORDER BY seq DESC LIMIT ?"
        return list(self._readable(reversed(self._all(query, source.value, limit)), trade_in, damaged))

    def trades_where(
        self, is_wanted: Callable[[str, Decimal], bool], *, damaged: Naming
    ) -> Iterator[TradeRecord]:
        """Yield the closed positions of which id and funding are wanted, in the order of closing.

        One that can not be read is named to ``damaged`` and left out.
        """
        for seq, trade_id, funding in self._pages("SELECT seq, trade_id, funding FROM trades"):
            try:
                with self._translated():
                    amount = Decimal(funding)
                if is_wanted(trade_id, amount):
                    yield self._told(seq, trade_in)
            except JournalError as fault:
                damaged(f"event {seq} ({trade_id}): {fault}")

    def results(self, damaged: Naming = refuse) -> Iterator[TradeResult]:
        """Yield how every closed position ended, in the order of closing: what there is to learn from all."""
        for seq, source, confidence, gross_r in self._pages(
            "SELECT seq, source, confidence, gross_r FROM trades"
        ):
            try:
                yield TradeResult(source=Source(source), confidence=float(confidence), gross_r=float(gross_r))
            except (ValueError, TypeError):
                damaged(f"the row of event {seq} in trades has been altered")

    def risk_state(self, damaged: Naming = refuse) -> RiskState | None:
        """Return the last recorded memory of the risk gate, ``None`` in a journal that has none."""
        # Written out, not bound: only so can SQLite tell that the index of risk events answers it.
        rows = self._all("SELECT seq FROM events WHERE kind = 'risk' ORDER BY seq DESC LIMIT 100")
        return next(self._readable(rows, risk_state_in, damaged), None)

    def given_up(self, limit: int, damaged: Naming = refuse) -> Sequence[Position]:
        """Return the last ``limit`` real positions that ended with nothing filled, in the order of ending."""
        query = (
            "SELECT seq FROM positions WHERE source = 'real' AND stage = 'closed'"
            " AND position_id NOT IN (SELECT trade_id FROM trades) ORDER BY seq DESC LIMIT ?"
        )
        return list(self._readable(reversed(self._all(query, limit)), position_in, damaged))

    def position_ids(self, limit: int) -> Sequence[str]:
        """Return the ids of the ``limit`` positions that changed last, closed ones too, but no shadows."""
        query = "SELECT position_id FROM positions WHERE source <> 'shadow' ORDER BY seq DESC LIMIT ?"
        rows = self._all(query, limit)
        return [position_id for (position_id,) in rows]

    def damage(self) -> str:
        """Return what was found lost or altered with no risk state after it: nobody was halted for it yet."""
        risk = self._all("SELECT seq FROM events WHERE kind = 'risk' ORDER BY seq DESC LIMIT 1")
        since = risk[0][0] if risk else 0
        rows = self._all("SELECT seq FROM events WHERE kind = 'damage' AND seq > ? ORDER BY seq", since)
        unreadable: list[str] = []
        found = list(self._readable(rows, damage_in, unreadable.append))
        return "; ".join([*found, *unreadable])

    def equity(self) -> Sequence[tuple[int, Decimal]]:
        """Return (market ms, equity in USDT) of every scanned minute."""
        rows = self._all("SELECT at, equity FROM equity ORDER BY at")
        with self._translated():
            return [(at, Decimal(equity)) for at, equity in rows]

    def net_pnl(self, source: Source) -> Decimal:
        """Return what all closed positions of one book have brought, in USDT."""
        rows = self._all("SELECT net_pnl FROM trades WHERE source = ?", source.value)
        return sum((Decimal(net) for (net,) in rows), Decimal(0))

    def _state_of(self, live: _Live, damaged: Naming, lost: Naming) -> Position | None:
        try:
            position = self._told(live.seq, partial(state_of, live.position_id))
        except Unreadable as fault:
            return self._state_instead(live, fault.what, damaged=damaged, lost=lost)
        if not position.is_live:
            damaged(f"the row of {live.position_id} in positions has been altered")
            return None
        return position

    def _state_instead(self, live: _Live, what: str, *, damaged: Naming, lost: Naming) -> Position | None:
        """Return what goes on where the newest state can not be read."""
        if live.source in _ON_PAPER:
            damaged(f"{live.position_id} is left out: {what}")
            return None
        earlier = self._earlier_state(live)
        if earlier is None:
            lost(f"nothing tells the state of {live.position_id}: {what}")
        else:
            damaged(f"{live.position_id} is taken up in an earlier state: {what}")
        return earlier

    def _earlier_state(self, live: _Live) -> Position | None:
        """Return the newest state that can be read, if whatever was sent after it can be asked for.

        Stops, targets and exits are found on the account, under ids that follow from the position; without
        its entry order it would be taken for one that never began.
        """
        seqs = self._all(
            "SELECT seq FROM events WHERE kind IN ('intent', 'position') AND seq < ?"
            " AND seq >= ifnull((SELECT intent FROM positions WHERE position_id = ?), 1) ORDER BY seq DESC",
            live.seq,
            live.position_id,
        )
        states = self._readable(seqs, position_in, lambda _: None)
        newest = next((each for each in states if each.position_id == live.position_id), None)
        if newest is None or (live.stage != Stage.INTENDED and Role.ENTRY not in newest.attempts):
            return None
        return newest
