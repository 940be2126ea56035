"""A scan as one JSON object: the stable form for scripts, see docs/commands.md."""

import json
from collections.abc import Iterable
from math import isfinite
from pathlib import Path

from cli.reasons import factor_text
from core.signals import Candidate, Factor
from core.sizing import Prices
from services.scanner import NearMiss, Offer, Scan
from strategies.ict_smc.explanation import Explanation, Gate

Json = dict[str, object]


def scan_as_json(
    scan: Scan,
    explained: Iterable[Explanation] | None,
    chart: Path | None,
    *,
    top: int,
    seconds: float,
) -> str:
    """Return one line; ``explain`` and ``chart`` are null where nothing was asked."""
    near = scan.near[: max(0, top - len(scan.offers))]
    body: Json = {
        "at": scan.at,
        "symbols": scan.symbols,
        "ready": scan.ready,
        "absent": list(scan.absent),
        "candidates": scan.candidates,
        "threshold": scan.threshold,
        "scan_ms": round(scan.elapsed_ms, 3),
        "seconds": round(seconds, 3),
        "signals": [_offer(each) for each in scan.offers[:top]],
        "near_misses": [_near_miss(each) for each in near],
        "explain": None if explained is None else [_explanation(each) for each in explained],
        "chart": None if chart is None else str(chart),
    }
    return json.dumps(body, allow_nan=False)


def _offer(offer: Offer) -> Json:
    signal, candidate = offer.signal, offer.signal.candidate
    return {
        "rank": signal.rank,
        "symbol": candidate.symbol,
        "side": candidate.side.name,
        "confidence": candidate.confidence,
        "expected_roi": signal.expected_roi,
        "expected_net_r": signal.expected_net_r,
        "leverage": signal.leverage,
        "price": candidate.price,
        **_exits(candidate, offer.prices),
        "reasons": [_factor(each) for each in candidate.factors],
    }


def _near_miss(near: NearMiss) -> Json:
    told = near.explanation
    exits = _exits(near.candidate, near.prices) if near.candidate else {}
    return {
        "symbol": told.symbol,
        "side": told.side.name,
        "points": told.points,
        "confidence": told.confidence,
        "lacks": list(told.lacks),
        "price": told.price,
        **exits,
        "reasons": [_factor(each) for each in told.factors],
    }


def _exits(candidate: Candidate, prices: Prices | None) -> Json:
    return {
        "stop": float(prices.stop) if prices else candidate.stop,
        "target": float(prices.target) if prices else candidate.target,
        "reward_risk": candidate.reward_risk,
    }


def _explanation(told: Explanation) -> Json:
    return {
        "symbol": told.symbol,
        "side": told.side.name,
        "at": told.at,
        "price": told.price,
        "confidence": told.confidence,
        "points": told.points,
        "failed": list(told.failed),
        "gates": [_gate(each) for each in told.gates],
        "factors": [_factor(each) for each in told.factors],
    }


def _gate(gate: Gate) -> Json:
    return {"name": str(gate.name), "passed": gate.passed, "numbers": _numbers(gate.numbers)}


def _factor(factor: Factor) -> Json:
    return {
        "name": factor.name,
        "grade": factor.grade,
        "weight": factor.weight,
        "points": factor.points,
        "text": factor_text(factor),
        "numbers": _numbers(factor.numbers),
    }


def _numbers(numbers: Iterable[tuple[str, float]]) -> Json:
    """JSON knows no infinity and no NaN: what is not known is null."""
    return {name: float(value) if isfinite(value) else None for name, value in numbers}
