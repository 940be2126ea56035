"""What ranks candidates: the promoted model of a run's folder where it is whole, else experience."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scan import noise
from core.clock import ManualClock
from core.features import FEATURE_NAMES, FEATURE_VERSION, FeatureVector
from core.notices import Alert
from core.rng import seeded
from core.signals import Candidate
from ml.registry import CURRENT, MODEL, promote, save
from ml.scorer import ModelScorer
from ml.training import TrainingParameters, train
from services.scoring import ModelOrExperience
from tests.builders import T0, candidate
from tests.builders_trader import Ear
from wiring.scorer import scorer_in

TRADES = 300


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of noise with every feature there is, saved and not promoted."""
    model = train(noise(seeded(1), TRADES), TrainingParameters(rounds=3))
    return save(model, tmp_path_factory.mktemp("models"))


def scorer_of(folder: Path) -> tuple[object, list[str]]:
    ear = Ear()
    return scorer_in(folder, notifier=ear, clock=ManualClock(T0)), [each.key for each in ear.of(Alert)]


def wish(version: str = FEATURE_VERSION) -> Candidate:
    names = FEATURE_NAMES if version == FEATURE_VERSION else ("one",)
    vector = FeatureVector(version=version, names=names, values=(0.5,) * len(names))
    return replace(candidate(), features=vector)


class Fixed:
    """Experience that expects the same of everything."""

    def expected_gross_r(self, _candidate: Candidate) -> float:
        return 0.25


def test_a_run_without_models_goes_by_experience(tmp_path: Path) -> None:
    assert scorer_of(tmp_path / "models") == (None, [])


def test_a_saved_model_ranks_only_once_it_is_promoted(saved: Path) -> None:
    assert scorer_of(saved.parent) == (None, [])
    promote(saved)
    scorer, told = scorer_of(saved.parent)
    assert isinstance(scorer, ModelScorer)
    assert scorer.manifest.sha256.startswith(saved.name)
    assert told == []
    (saved.parent / CURRENT).unlink()


@pytest.mark.fault(97)
@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_a_model_that_is_not_whole_is_told_and_keeps_nobody_from_trading(
    saved: Path, damage: bytes | None
) -> None:
    promote(saved)
    whole = (saved / MODEL).read_bytes()
    try:
        if damage is None:
            (saved / MODEL).unlink()
        else:
            (saved / MODEL).write_bytes(damage)
        assert scorer_of(saved.parent) == (None, ["model_refused"])
    finally:
        (saved / MODEL).write_bytes(whole)
        (saved.parent / CURRENT).unlink()


@pytest.mark.fault(98)
def test_candidates_with_other_features_are_judged_by_experience(saved: Path) -> None:
    scorer = ModelOrExperience(ModelScorer.load(saved), Fixed)
    assert scorer.expected_gross_r(wish("another source's")) == 0.25
    assert scorer.expected_gross_r(wish()) != 0.25
