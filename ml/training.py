"""Fit a model of expected gross R, and say honestly whether it knows anything."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.market import DAY_MS, Booleans, Floats
from ml.dataset import TooFewTrades, TrainingSet, uniqueness
from ml.evidence import Estimate, improvement_of, mean_of
from ml.splits import Indices, walk_forward

if TYPE_CHECKING:
    from xgboost import Booster


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingParameters:
    """Shallow trees, slow steps and strong shrinkage: a trade's outcome is mostly noise.

    A model is looked at from ``min_rows`` trades on and may be proposed for use from ``proposal_rows``
    trades over ``proposal_days`` days on. One thread, so that the same rows give the same model.
    """

    min_rows: int = 50
    proposal_rows: int = 200
    proposal_days: int = 30
    folds: int = 5
    embargo_ms: int = 3_600_000
    rounds: int = 150
    max_depth: int = 3
    learning_rate: float = 0.05
    min_child_weight: float = 10.0
    l2: float = 10.0
    subsample: float = 0.8
    prior_trades: int = 30
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """What walk-forward judging found; errors are root mean squares in R on trades never learned from.

    ``shrunk_mean_error`` is that of the mean of what came before, with a prior of zero edge;
    ``expected_error`` that of what the trader itself had expected.
    """

    rows: int
    real: int
    virtual: int
    days: float
    judged: int
    net: Estimate
    gross: Estimate
    improvement: Estimate
    model_error: float
    shrunk_mean_error: float
    expected_error: float
    importance: tuple[tuple[str, float], ...]
    objections: tuple[str, ...]

    def lines(self) -> Sequence[str]:
        """Return the report in words."""
        return (
            f"{self.rows} closed trades ({self.real} real, {self.virtual} virtual) over {self.days:.1f} days",
            f"net result of all: {self.net}",
            f"gross result of all: {self.gross}",
            f"walk-forward on {self.judged} unseen trades: error {self.model_error:.3f} R; a constant's"
            f" {self.shrunk_mean_error:.3f} R, the trader's own {self.expected_error:.3f} R",
            f"net result of the trades the model prefers, less all: {self.improvement}",
            *(f"not to be used yet: {objection}" for objection in self.objections),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A model of all rows, with the report of models that had seen only what came before."""

    booster: "Booster"
    features: tuple[str, ...]
    version: str
    trained_until: int
    report: TrainingReport


def train(data: TrainingSet, parameters: TrainingParameters | None = None) -> TrainedModel:
    """Raises ``TooFewTrades`` naming how many are needed."""
    parameters = parameters or TrainingParameters()
    if len(data) < parameters.min_rows:
        raise TooFewTrades(
            f"{len(data)} closed trades with features {data.version!r} are too few to learn from:"
            f" {parameters.min_rows} are needed, so let the trader run on or replay a longer file."
        )
    report = _judged(data, parameters)
    booster = _fit(data, np.arange(len(data)), parameters)
    return TrainedModel(
        booster=booster,
        features=data.features,
        version=data.version,
        trained_until=int(data.ended.max()),
        report=_with_importance(report, booster),
    )


def _judged(data: TrainingSet, parameters: TrainingParameters) -> TrainingReport:
    predicted, constant = np.full((2, len(data)), np.nan)
    kept = np.zeros(len(data), dtype=np.bool_)
    for fold in walk_forward(
        data.began, data.ended, folds=parameters.folds, embargo_ms=parameters.embargo_ms
    ):
        booster = _fit(data, fold.train, parameters)
        predicted[fold.test] = _predict(booster, data.x[fold.test])
        kept[fold.test] = predicted[fold.test] > np.median(_predict(booster, data.x[fold.train]))
        constant[fold.test] = data.gross_r[fold.train].sum() / (len(fold.train) + parameters.prior_trades)
    seen = ~np.isnan(predicted)
    if not seen.any():
        raise TooFewTrades(
            "No trade ended early enough before another began to judge by: the log must span more than"
            f" {parameters.embargo_ms / 3_600_000:g} hours beyond the longest trade."
        )
    return _report(data, parameters, predicted=predicted, constant=constant, kept=kept, seen=seen)


def _report(
    data: TrainingSet,
    parameters: TrainingParameters,
    *,
    predicted: Floats,
    constant: Floats,
    kept: Booleans,
    seen: Booleans,
) -> TrainingReport:
    days = float(data.ended.max() - data.began.min()) / DAY_MS
    improvement = improvement_of(data.net_r[seen], kept[seen], data.began[seen], seed=parameters.seed)
    real = int(np.count_nonzero(data.source == "real"))
    actual = data.gross_r[seen]
    return TrainingReport(
        rows=len(data),
        real=real,
        virtual=len(data) - real,
        days=days,
        judged=int(seen.sum()),
        net=mean_of(data.net_r, data.began, seed=parameters.seed),
        gross=mean_of(data.gross_r, data.began, seed=parameters.seed),
        improvement=improvement,
        model_error=_error(predicted[seen], actual),
        shrunk_mean_error=_error(constant[seen], actual),
        expected_error=_error(data.expected_r[seen], actual),
        importance=(),
        objections=_objections(len(data), days, improvement, parameters),
    )


def _objections(
    rows: int, days: float, improvement: Estimate, parameters: TrainingParameters
) -> tuple[str, ...]:
    objections = []
    if rows < parameters.proposal_rows:
        objections.append(f"{rows} trades, {parameters.proposal_rows} needed")
    if days < parameters.proposal_days:
        objections.append(f"{days:.1f} days, {parameters.proposal_days} needed")
    if not improvement.is_edge:
        objections.append("no evidence that the trades it prefers are better")
    return tuple(objections)


def _fit(data: TrainingSet, chosen: Indices, parameters: TrainingParameters) -> "Booster":
    import xgboost

    matrix = xgboost.DMatrix(
        data.x[chosen],
        label=data.gross_r[chosen],
        weight=uniqueness(data.began[chosen], data.ended[chosen]),
        feature_names=list(data.features),
    )
    return xgboost.train(_settings(parameters), matrix, num_boost_round=parameters.rounds)


def _settings(parameters: TrainingParameters) -> dict[str, Any]:
    return {
        "objective": "reg:squarederror",
        "base_score": 0.0,  # without a reason to think otherwise, a trade is worth nothing
        "max_depth": parameters.max_depth,
        "eta": parameters.learning_rate,
        "min_child_weight": parameters.min_child_weight,
        "lambda": parameters.l2,
        "subsample": parameters.subsample,
        "seed": parameters.seed,
        "nthread": parameters.threads,
        "tree_method": "hist",
        "verbosity": 0,
    }


def _predict(booster: "Booster", x: Any) -> Floats:
    return np.asarray(booster.inplace_predict(x), dtype=np.float64)


def _error(predicted: Floats, actual: Floats) -> float:
    return float(np.sqrt(np.mean((np.nan_to_num(predicted) - actual) ** 2)))


def _with_importance(report: TrainingReport, booster: "Booster") -> TrainingReport:
    """Add each used feature's share of the total gain, the largest first."""
    gain = {
        name: float(np.sum(value)) for name, value in booster.get_score(importance_type="total_gain").items()
    }
    total = sum(gain.values()) or 1.0
    shares = sorted(
        ((name, value / total) for name, value in gain.items()), key=lambda each: (-each[1], each[0])
    )
    return replace(report, importance=tuple(shares))
