"""The trade log's columns, and how a closed position fills them. In words: docs/trade-log.md."""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa

from core.features import FeatureVector
from core.market import Field
from core.positions import FillRecord, Position, PositionPlan
from core.signals import Candidate, Factor, RankedSignal, Zone
from core.trades import SCHEMA_VERSION, TradeRecord

FEATURE_PREFIX = "f_"

MONEY = pa.decimal128(38, 18)
_ARITHMETIC = Context(prec=38)
_LAST_PLACE = Decimal(1).scaleb(-18)

_NUMBER = pa.struct([("name", pa.string()), ("value", pa.float64())])
_FACTOR = pa.struct(
    [
        ("name", pa.string()),
        ("grade", pa.float64()),
        ("weight", pa.float64()),
        ("points", pa.float64()),
        ("reason", pa.string()),
        ("numbers", pa.list_(_NUMBER)),
    ]
)
_ZONE = pa.struct(
    [
        ("kind", pa.string()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("labelled_at", pa.int64()),
        ("known_at", pa.int64()),
    ]
)
_TARGET = pa.struct([("price", MONEY), ("fraction", MONEY)])
_FILL = pa.struct(
    [
        ("trade_id", pa.string()),
        ("client_order_id", pa.string()),
        ("opening", pa.bool_()),
        ("quantity", MONEY),
        ("price", MONEY),
        ("fee", MONEY),
        ("at", pa.int64()),
    ]
)

COLUMNS = pa.schema(
    [
        ("schema_version", pa.int16()),
        ("trade_id", pa.string()),
        ("signal_id", pa.string()),
        ("source", pa.string()),
        ("strategy", pa.string()),
        ("symbol", pa.string()),
        ("side", pa.string()),
        ("signal_at", pa.int64()),
        ("planned_at", pa.int64()),
        ("opened_at", pa.int64()),
        ("closed_at", pa.int64()),
        ("held_ms", pa.int64()),
        ("confidence", pa.float64()),
        ("rank", pa.int32()),
        ("expected_gross_r", pa.float64()),
        ("expected_net_r", pa.float64()),
        ("expected_roi", pa.float64()),
        ("signal_price", pa.float64()),
        ("signal_stop", pa.float64()),
        ("signal_target", pa.float64()),
        ("reward_risk", pa.float64()),
        ("stop_distance", pa.float64()),
        ("atr_1m", pa.float64()),
        ("atr_15m", pa.float64()),
        ("factors", pa.list_(_FACTOR)),
        ("zones", pa.list_(_ZONE)),
        *((f"snapshot_{field.name.lower()}", pa.list_(pa.float64())) for field in Field),
        ("leverage", pa.int32()),
        ("margin", MONEY),
        ("planned_quantity", MONEY),
        ("planned_entry", MONEY),
        ("planned_stop", MONEY),
        ("targets", pa.list_(_TARGET)),
        ("quantity", MONEY),
        ("entry_price", MONEY),
        ("exit_price", MONEY),
        ("fills", pa.list_(_FILL)),
        ("risk", MONEY),
        ("gross_pnl", MONEY),
        ("fees", MONEY),
        ("funding", MONEY),
        ("net_pnl", MONEY),
        ("gross_r", pa.float64()),
        ("net_r", pa.float64()),
        ("favourable_price", MONEY),
        ("adverse_price", MONEY),
        ("favourable_r", pa.float64()),
        ("adverse_r", pa.float64()),
        ("exit_reason", pa.string()),
        ("unprotected_seconds", pa.float64()),
        ("feature_version", pa.string()),
    ]
)


def columns_for(records: Sequence[TradeRecord]) -> pa.Schema:
    """Return the fixed columns and one for each feature that any of the records has."""
    names = dict.fromkeys(name for record in records for name in _features(record).names)
    extra = [pa.field(FEATURE_PREFIX + name, pa.float64()) for name in names]
    return pa.unify_schemas([COLUMNS, pa.schema(extra)])


def table_of(records: Sequence[TradeRecord], columns: pa.Schema) -> pa.Table:
    """Return one row a record; a column that a record knows nothing of stays null."""
    return pa.Table.from_pylist([_row(record) for record in records], schema=columns)


def _row(record: TradeRecord) -> Mapping[str, Any]:
    plan = record.position.plan
    return {
        "schema_version": SCHEMA_VERSION,
        **_signal(plan.signal),
        **_candidate(plan.candidate),
        **{f"snapshot_{field.name.lower()}": record.snapshot[field].tolist() for field in Field},
        **_plan(plan),
        **_life(record.position),
        **_result(record),
        **{FEATURE_PREFIX + name: value for name, value in _pairs(_features(record))},
    }


def _candidate(candidate: Candidate) -> Mapping[str, Any]:
    return {
        "signal_id": candidate.signal_id,
        "strategy": candidate.strategy,
        "symbol": candidate.symbol,
        "side": candidate.side.name.lower(),
        "signal_at": candidate.at,
        "confidence": candidate.confidence,
        "signal_price": candidate.price,
        "signal_stop": candidate.stop,
        "signal_target": candidate.target,
        "reward_risk": candidate.reward_risk,
        "stop_distance": candidate.stop_distance,
        "atr_1m": candidate.atr_1m,
        "atr_15m": candidate.atr_15m,
        "factors": [_factor(each) for each in candidate.factors],
        "zones": [_zone(each) for each in candidate.zones],
        "feature_version": candidate.features.version,
    }


def _factor(factor: Factor) -> Mapping[str, Any]:
    return {
        "name": factor.name,
        "grade": factor.grade,
        "weight": factor.weight,
        "points": factor.points,
        "reason": factor.reason,
        "numbers": [{"name": name, "value": value} for name, value in factor.numbers],
    }


def _zone(zone: Zone) -> Mapping[str, Any]:
    return {
        "kind": zone.kind,
        "low": zone.low,
        "high": zone.high,
        "labelled_at": zone.labelled_at,
        "known_at": zone.known_at,
    }


def _signal(signal: RankedSignal) -> Mapping[str, Any]:
    return {
        "rank": signal.rank,
        "expected_gross_r": signal.expected_gross_r,
        "expected_net_r": signal.expected_net_r,
        "expected_roi": signal.expected_roi,
    }


def _plan(plan: PositionPlan) -> Mapping[str, Any]:
    return {
        "trade_id": plan.position_id,
        "source": plan.source.value,
        "planned_at": plan.planned_at,
        "leverage": plan.leverage,
        "margin": money(plan.margin),
        "planned_quantity": money(plan.quantity),
        "planned_entry": money(plan.entry),
        "planned_stop": money(plan.stop),
        "targets": [{"price": money(each.price), "fraction": money(each.fraction)} for each in plan.targets],
    }


def _life(position: Position) -> Mapping[str, Any]:
    opened_at, closed_at = position.opened_at, position.closed_at
    return {
        "opened_at": opened_at,
        "closed_at": closed_at,
        "held_ms": None if opened_at is None or closed_at is None else closed_at - opened_at,
        "quantity": money(position.entered),
        "entry_price": money(position.entry_price),
        "exit_price": _money_or_none(position.exit_price),
        "fills": [_fill(each) for each in position.fills],
        "favourable_price": _money_or_none(position.favourable),
        "adverse_price": _money_or_none(position.adverse),
        "unprotected_seconds": position.unprotected_seconds,
    }


def _fill(fill: FillRecord) -> Mapping[str, Any]:
    return {
        "trade_id": fill.trade_id,
        "client_order_id": fill.client_order_id,
        "opening": fill.opening,
        "quantity": money(fill.quantity),
        "price": money(fill.price),
        "fee": money(fill.fee),
        "at": fill.at,
    }


def _result(record: TradeRecord) -> Mapping[str, Any]:
    """Net is made of the rounded parts, so that a row adds up to the last place."""
    position = record.position
    gross, fees, funding = (money(each) for each in (position.gross_pnl, position.fees, position.funding))
    return {
        "risk": money(position.risk),
        "gross_pnl": gross,
        "fees": fees,
        "funding": funding,
        "net_pnl": _ARITHMETIC.add(_ARITHMETIC.subtract(gross, fees), funding),
        "gross_r": record.gross_r,
        "net_r": record.net_r,
        "favourable_r": record.favourable_r,
        "adverse_r": record.adverse_r,
        "exit_reason": record.exit_reason.value,
    }


def _features(record: TradeRecord) -> FeatureVector:
    return record.position.plan.candidate.features


def _pairs(features: FeatureVector) -> Sequence[tuple[str, float]]:
    return list(zip(features.names, features.values, strict=True))


def money(amount: Decimal) -> Decimal:
    """Round half-even to 18 places; only averages of several fills ever have more."""
    return amount.quantize(_LAST_PLACE, context=_ARITHMETIC)


def _money_or_none(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else money(amount)
