"""Trades as they come to the journal, drawn: numbers that no compression can guess, texts that all share."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from core.features import FEATURE_NAMES, FEATURE_VERSION, FeatureVector
from core.instruments import Instrument, LeverageBracket
from core.journal import (
    Body,
    CommandSent,
    Entry,
    IntentRecorded,
    PositionChanged,
    PositionClosed,
    ReportReceived,
)
from core.market import MINUTE_MS, Floats
from core.orders import OrderFilled, PlaceConditional, Role, SubmitEntry
from core.positions import ExitReason, FillRecord, Position, PositionPlan, Protection, Source, Stage
from core.signals import Candidate, Factor, RankedSignal, Side, Target
from core.trades import SNAPSHOT_BARS
from strategies.ict_smc.confidence import PARTS

START_MS = 1_764_115_200_000
SYMBOLS = 650
A_DAY = 1_000
"""Trades that close each day."""

BRACKETS = 11
CHANGES_WHILE_OPEN = 4
_PRICE = Decimal("100.00")
_QUANTITY = Decimal("3.17")


class Trades:
    """Lives of positions, one after another, the same for the same generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._contracts = [self._contract(f"SYM{number:03}USDT") for number in range(SYMBOLS)]

    def life(self, number: int) -> Iterator[Sequence[Entry]]:
        """Yield the transactions of a whole life."""
        plan = self._plan(number)
        at = plan.planned_at
        intended, opened = Position(plan=plan), self._opened(plan)
        yield _entries(at, IntentRecorded(plan=plan), PositionChanged(position=intended), _entry_order(plan))
        yield _entries(at, _filled(plan, opened), PositionChanged(position=opened), _stop_order(plan))
        for change in range(CHANGES_WHILE_OPEN):
            moved = replace(
                opened, floor=_PRICE + Decimal(change) / 100, stage_mono=float(self._rng.random())
            )
            yield _entries(at, PositionChanged(position=moved), _stop_order(plan))
        yield self._end(opened)

    def end(self, number: int) -> Sequence[Entry]:
        """Return the least that a closed trade leaves: its intent and its end, in one transaction."""
        plan = self._plan(number)
        return [*_entries(plan.planned_at, IntentRecorded(plan=plan)), self._end(self._opened(plan))[-1]]

    def _end(self, opened: Position) -> Sequence[Entry]:
        plan, at = opened.plan, (opened.opened_at or 0) + 30 * MINUTE_MS
        price = _PRICE + Decimal(int(self._rng.integers(-100, 101))) / 100
        closed = replace(
            opened,
            stage=Stage.CLOSED,
            fills=(*opened.fills, _fill(plan, price, at, opening=False)),
            exit_reason=ExitReason.STOP,
            closed_at=at,
        )
        body = PositionClosed(position=closed, snapshot=self._snapshot())
        closing = Entry(body=body, at=at, seen_at=at, key=f"closed:{closed.position_id}")
        return [*_entries(at, _filled(plan, closed), PositionChanged(position=closed)), closing]

    def _opened(self, plan: PositionPlan) -> Position:
        at = plan.planned_at + MINUTE_MS
        return Position(
            plan=plan,
            stage=Stage.OPEN,
            fills=(_fill(plan, _PRICE, at, opening=True),),
            entry_total=_QUANTITY,
            stop=Protection(
                client_order_id=f"ps-{plan.planned_at}-s1", trigger_price=plan.stop, confirmed=True
            ),
            targets=(Protection(client_order_id=f"ps-{plan.planned_at}-t1", trigger_price=_PRICE + 2),),
            attempts={Role.ENTRY: 1, Role.STOP: 1, Role.TARGET: 1},
            opened_at=at,
            favourable=_PRICE + 1,
            adverse=_PRICE - 1,
        )

    def _plan(self, number: int) -> PositionPlan:
        contract = self._contracts[number % SYMBOLS]
        at = START_MS + number * (24 * 60 * MINUTE_MS // A_DAY)
        signal = RankedSignal(
            candidate=self._candidate(contract.symbol, at),
            rank=1,
            expected_gross_r=float(self._rng.normal()),
            expected_net_r=float(self._rng.normal()),
            expected_roi=float(self._rng.normal()),
            leverage=3,
        )
        return PositionPlan(
            source=Source.REAL if number % 4 == 0 else Source.VIRTUAL,
            signal=signal,
            instrument=contract,
            quantity=_QUANTITY,
            leverage=3,
            margin=Decimal("105.6"),
            entry=_PRICE,
            stop=_PRICE - 1,
            targets=(Target(price=_PRICE + 2),),
            planned_at=at,
        )

    def _candidate(self, symbol: str, at: int) -> Candidate:
        values = tuple(self._rng.normal(size=len(FEATURE_NAMES)).tolist())
        factors = tuple(
            Factor(
                name=name,
                grade=float(self._rng.random()),
                weight=10.0,
                reason=f"why.{name}",
                numbers=tuple((part, float(self._rng.normal())) for part, _ in parts),
            )
            for name, parts in PARTS.items()
        )
        return Candidate(
            strategy="ict_smc",
            symbol=symbol,
            side=Side.LONG,
            at=at,
            price=float(_PRICE),
            stop=99.0,
            target=102.0,
            reward_risk=2.0,
            stop_distance=0.01,
            confidence=70 + 30 * float(self._rng.random()),
            factors=factors,
            features=FeatureVector(version=FEATURE_VERSION, names=FEATURE_NAMES, values=values),
            atr_1m=float(self._rng.random()),
            atr_15m=float(self._rng.random()),
        )

    def _snapshot(self) -> Floats:
        walk = 100 + np.cumsum(self._rng.normal(size=(5, SNAPSHOT_BARS)), axis=1)
        return np.round(walk, 2)

    def _contract(self, symbol: str) -> Instrument:
        caps = np.cumsum(self._rng.integers(1, 100, size=BRACKETS + 1)) * 5000
        return Instrument(
            symbol=symbol,
            base=symbol.removesuffix("USDT"),
            tick_size=Decimal("0.01"),
            step_size=Decimal("0.01"),
            min_quantity=Decimal("0.01"),
            max_quantity=Decimal(1_000_000),
            max_market_quantity=Decimal(100_000),
            min_notional=Decimal(5),
            price_precision=2,
            quantity_precision=2,
            brackets=tuple(
                LeverageBracket(
                    floor=Decimal(int(caps[place])),
                    cap=Decimal(int(caps[place + 1])),
                    maintenance_margin_rate=Decimal("0.01") * (place + 1),
                    max_leverage=75 // (place + 1),
                    cum=Decimal(int(caps[place])) / 100,
                )
                for place in range(BRACKETS)
            ),
        )


def _entries(at: int, *bodies: Body) -> list[Entry]:
    return [Entry(body=body, at=at, seen_at=at) for body in bodies]


def _fill(plan: PositionPlan, price: Decimal, at: int, *, opening: bool) -> FillRecord:
    return FillRecord(
        trade_id=str(at),
        client_order_id=f"ps-{plan.planned_at}-{'e' if opening else 's'}1",
        opening=opening,
        quantity=_QUANTITY,
        price=price,
        fee=Decimal("0.1585"),
        at=at,
    )


def _filled(plan: PositionPlan, position: Position) -> ReportReceived:
    fill = position.fills[-1]
    return ReportReceived(
        book=plan.source,
        report=OrderFilled(
            symbol=plan.symbol,
            client_order_id=fill.client_order_id,
            venue_order_id=fill.trade_id,
            trade_id=fill.trade_id,
            side=plan.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            realised_pnl=Decimal(0),
            at=fill.at,
        ),
    )


def _entry_order(plan: PositionPlan) -> CommandSent:
    return CommandSent(
        command=SubmitEntry(
            position_id=plan.position_id,
            client_order_id=f"ps-{plan.planned_at}-e1",
            symbol=plan.symbol,
            side=plan.side,
            quantity=plan.quantity,
        )
    )


def _stop_order(plan: PositionPlan) -> CommandSent:
    return CommandSent(
        command=PlaceConditional(
            position_id=plan.position_id,
            client_order_id=f"ps-{plan.planned_at}-s1",
            symbol=plan.symbol,
            side=plan.side,
            role=Role.STOP,
            trigger_price=plan.stop,
        )
    )
