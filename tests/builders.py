"""Builders of the nouns that tests speak of: each call names only the facts that matter to its test."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from core.correlation import NOTHING_KNOWN, Correlations
from core.features import FeatureVector
from core.instruments import Instrument, InstrumentStatus, LeverageBracket
from core.positions import ExitReason, FillRecord, Position, PositionPlan, Protection, Source, Stage
from core.risk import AccountContext
from core.signals import Candidate, RankedSignal, Side, Target
from core.symbols import SymbolContext
from core.trades import EMPTY_SNAPSHOT, TradeRecord

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = 1_764_115_200_000  # 2025-11-26 00:00:00 UTC: a whole minute, hour and day

SYMBOL = "SOLUSDT"

LADDER = (
    # floor, cap, maintenance margin rate, highest leverage, cum
    ("0", "50000", "0.01", 75, "0"),
    ("50000", "250000", "0.02", 25, "500"),
    ("250000", "1000000", "0.05", 10, "8000"),
)


def brackets(rows: Sequence[tuple[str, str, str, int, str]] = LADDER) -> tuple[LeverageBracket, ...]:
    """Make brackets from rows of floor, cap, maintenance margin rate, highest leverage and cum."""
    return tuple(
        LeverageBracket(
            floor=Decimal(floor),
            cap=Decimal(cap),
            maintenance_margin_rate=Decimal(rate),
            max_leverage=leverage,
            cum=Decimal(cum),
        )
        for floor, cap, rate, leverage, cum in rows
    )


def instrument(
    symbol: str = SYMBOL,
    *,
    tick: str = "0.01",
    step: str = "0.01",
    min_notional: str = "5",
    max_market_quantity: str = "100000",
    trigger_protect: str = "0.05",
    status: InstrumentStatus = InstrumentStatus.TRADING,
    ladder: Sequence[tuple[str, str, str, int, str]] = LADDER,
) -> Instrument:
    """Make a contract like SOLUSDT: two decimals for price and quantity, three brackets."""
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        tick_size=Decimal(tick),
        step_size=Decimal(step),
        min_quantity=Decimal(step),
        max_quantity=Decimal(1_000_000),
        max_market_quantity=Decimal(max_market_quantity),
        min_notional=Decimal(min_notional),
        price_precision=_decimals(tick),
        quantity_precision=_decimals(step),
        trigger_protect=Decimal(trigger_protect),
        status=status,
        brackets=brackets(ladder),
    )


def features(**values: float) -> FeatureVector:
    """Make a feature vector; without arguments, one with a single number."""
    named = values or {"confidence": 70.0}
    return FeatureVector(version="test", names=tuple(named), values=tuple(named.values()))


def candidate(
    symbol: str = SYMBOL,
    *,
    side: Side = Side.LONG,
    at: int = T0,
    price: float = 100.0,
    stop_distance: float = 0.01,
    reward_risk: float | None = None,
    confidence: float = 70.0,
    refusal: str | None = None,
) -> Candidate:
    """Make a candidate whose stop and target follow from its price and stop distance."""
    ratio = 1.0 + (confidence - 70.0) / 30.0 if reward_risk is None else reward_risk
    return Candidate(
        strategy="test",
        symbol=symbol,
        side=side,
        at=at,
        price=price,
        stop=price * (1 - side * stop_distance),
        target=price * (1 + side * stop_distance * ratio),
        reward_risk=ratio,
        stop_distance=stop_distance,
        confidence=confidence,
        factors=(),
        features=features(),
        atr_1m=price * stop_distance / 3,
        atr_15m=price * stop_distance,
        refusal=refusal,
    )


def ranked(
    wish: Candidate | None = None,
    *,
    rank: int = 1,
    leverage: int = 3,
    expected_net_r: float = 0.0,
) -> RankedSignal:
    """Make a ranked signal of ``wish``, by default of a plain candidate."""
    wish = wish or candidate()
    return RankedSignal(
        candidate=wish,
        rank=rank,
        expected_gross_r=expected_net_r,
        expected_net_r=expected_net_r,
        expected_roi=expected_net_r * wish.stop_distance * leverage,
        leverage=leverage,
    )


def plan(
    signal: RankedSignal | None = None,
    *,
    source: Source = Source.REAL,
    contract: Instrument | None = None,
    quantity: str = "10",
    planned_at: int | None = None,
) -> PositionPlan:
    """Make a plan for ``quantity`` at the candidate's own prices, on ticks of 0.01 unless told otherwise."""
    signal = signal or ranked()
    wish = signal.candidate
    contract = contract or instrument(wish.symbol)
    entry, stop, target = (_on_tick(price, contract) for price in (wish.price, wish.stop, wish.target))
    return PositionPlan(
        source=source,
        signal=signal,
        instrument=contract,
        quantity=Decimal(quantity),
        leverage=signal.leverage,
        margin=Decimal(quantity) * entry / signal.leverage,
        entry=entry,
        stop=stop,
        targets=(Target(price=target),),
        planned_at=wish.at if planned_at is None else planned_at,
    )


def fill(
    of: PositionPlan,
    *,
    price: Decimal,
    quantity: Decimal | None = None,
    opening: bool = True,
    fee: str = "0",
    at: int | None = None,
) -> FillRecord:
    """Make one execution of a plan, of its whole quantity unless told otherwise."""
    return FillRecord(
        trade_id=f"{'in' if opening else 'out'}-{of.position_id}-{price}",
        client_order_id=f"{'in' if opening else 'out'}-{of.position_id}",
        opening=opening,
        quantity=of.quantity if quantity is None else quantity,
        price=price,
        fee=Decimal(fee),
        at=of.planned_at if at is None else at,
    )


def position(intent: PositionPlan | None = None, *, stage: Stage = Stage.OPEN) -> Position:
    """Make a position: filled whole as planned and protected, unless its stage comes before that."""
    intent = intent or plan()
    if stage in {Stage.INTENDED, Stage.ENTERING, Stage.UNKNOWN}:
        return Position(plan=intent, stage=stage)
    return Position(
        plan=intent,
        stage=stage,
        fills=(fill(intent, price=intent.entry),),
        entry_total=intent.quantity,
        stop=Protection(client_order_id="stop", trigger_price=intent.stop, confirmed=True),
        targets=(
            Protection(client_order_id="target", trigger_price=intent.targets[0].price, confirmed=True),
        ),
        opened_at=intent.planned_at,
    )


def closed_position(
    intent: PositionPlan | None = None,
    *,
    gross_r: float = 1.0,
    costs: str = "0",
    funding: str = "0",
    reason: ExitReason = ExitReason.TARGET,
    closed_at: int | None = None,
) -> Position:
    """Make a closed position that won or lost ``gross_r`` times its risk, with ``costs`` USDT of fees."""
    intent = intent or plan()
    at = intent.planned_at + HOUR if closed_at is None else closed_at
    exit_price = intent.entry + intent.side * Decimal(str(gross_r)) * intent.risk_a_unit
    return Position(
        plan=intent,
        stage=Stage.CLOSED,
        fills=(
            fill(intent, price=intent.entry),
            fill(intent, price=exit_price, opening=False, fee=costs, at=at),
        ),
        entry_total=intent.quantity,
        funding=Decimal(funding),
        exit_reason=reason,
        opened_at=intent.planned_at,
        closed_at=at,
    )


def trade(
    intent: PositionPlan | None = None,
    *,
    gross_r: float = 1.0,
    costs: str = "0",
    funding: str = "0",
    reason: ExitReason = ExitReason.TARGET,
    closed_at: int | None = None,
) -> TradeRecord:
    """Make the trade log's row of a ``closed_position``."""
    ended = closed_position(
        intent, gross_r=gross_r, costs=costs, funding=funding, reason=reason, closed_at=closed_at
    )
    return TradeRecord(position=ended, snapshot=EMPTY_SNAPSHOT)


def symbol_context(
    symbol: str = SYMBOL,
    *,
    contract: Instrument | None = None,
    spread: float = 0.0001,
    funding_rate: float = 0.0001,
    quote_volume_24h: float = 50_000_000.0,
    gapped: bool = False,
) -> SymbolContext:
    """Make what is known of a liquid symbol beside its candles."""
    return SymbolContext(
        instrument=contract or instrument(symbol),
        spread=spread,
        funding_rate=funding_rate,
        quote_volume_24h=quote_volume_24h,
        gapped=gapped,
    )


def independent(*symbols: str) -> Correlations:
    """Make correlations in which no symbol moves with another."""
    return Correlations(symbols=symbols, matrix=np.eye(len(symbols)))


def account(
    *,
    at: int = T0,
    equity: str = "10000",
    equity_at: int | None = None,
    available: str | None = None,
    correlations: Correlations = NOTHING_KNOWN,
    trades: bool = True,
    breaker_open: bool = False,
    is_foreign: bool = False,
) -> AccountContext:
    """Make an account with 10,000 USDT, all of it available, in a mode that trades."""
    return AccountContext(
        at=at,
        equity=Decimal(equity),
        equity_at=at if equity_at is None else equity_at,
        available=Decimal(equity if available is None else available),
        correlations=correlations,
        trades=trades,
        breaker_open=breaker_open,
        is_foreign=is_foreign,
    )


def _on_tick(price: float, contract: Instrument) -> Decimal:
    return contract.price_at_or_below(Decimal(str(price)) + contract.tick_size / 2)


def _decimals(unit: str) -> int:
    return len(unit.partition(".")[2])
