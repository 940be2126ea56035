"""Training finds what is there, finds nothing where nothing is, and refuses where nobody could tell."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import DataFileError
from data.trade_log import read_trades
from ml.dataset import TooFewTrades, TrainingSet, training_set
from ml.registry import current, promote, read_manifest, save
from ml.scorer import ModelScorer
from ml.training import TrainedModel, TrainingParameters, train
from tests.builders import candidate, features
from tests.unit.ml.logs import records, written

QUICK = TrainingParameters(rounds=40)


def learned_from(folder: Path, count: int, *, skill: float) -> TrainingSet:
    return training_set(read_trades(written(folder, records(count, skill=skill))))


@pytest.fixture(scope="module")
def skilled(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return train(learned_from(tmp_path_factory.mktemp("skilled"), 500, skill=1.0), QUICK)


def test_a_feature_that_tells_is_found(skilled: TrainedModel) -> None:
    report = skilled.report
    assert report.improvement.is_edge
    assert report.model_error < report.shrunk_mean_error
    assert report.importance[0][0] == "tell"
    assert sum(share for _, share in report.importance) == pytest.approx(1.0)


def test_noise_shows_no_evidence_of_edge(tmp_path: Path) -> None:
    report = train(learned_from(tmp_path, 500, skill=0.0), QUICK).report
    assert not report.improvement.is_edge
    assert "no evidence that the trades it prefers are better" in report.objections
    assert any("no evidence of edge" in line for line in report.lines())
    assert report.model_error > 0.95 * report.shrunk_mean_error


def test_the_same_rows_give_the_same_model(skilled: TrainedModel, tmp_path: Path) -> None:
    again = train(learned_from(tmp_path, 500, skill=1.0), QUICK)
    assert again.booster.save_raw("ubj") == skilled.booster.save_raw("ubj")
    assert again.report == skilled.report


@pytest.mark.fault(101)
def test_too_few_trades_are_refused_with_the_number_needed(tmp_path: Path) -> None:
    with pytest.raises(
        TooFewTrades, match=r"49 closed trades with features 'test' are too few .* 50 are needed"
    ):
        train(learned_from(tmp_path, 49, skill=1.0), QUICK)


@pytest.mark.fault(101)
def test_trades_of_one_hour_can_not_be_judged(tmp_path: Path) -> None:
    data = learned_from(tmp_path, 60, skill=1.0)
    crowded = replace(
        data, began=data.began[0] + np.arange(60) * 1000, ended=data.began[0] + np.full(60, 3_600_000)
    )
    with pytest.raises(TooFewTrades, match="must span more than"):
        train(crowded, QUICK)


@pytest.mark.fault(101)
def test_a_short_log_never_proposes_a_model(skilled: TrainedModel) -> None:
    assert skilled.report.objections == ("10.5 days, 30 needed",)


# --- registry and scorer ------------------------------------------------------------------------------


def test_a_saved_model_scores_as_it_did_when_trained(skilled: TrainedModel, tmp_path: Path) -> None:
    scorer = ModelScorer.load(save(skilled, tmp_path), feature_version="test")
    wish = replace(candidate(), features=features(tell=1.5, chatter=0.25))
    row = np.array([[0.25, 1.5]], dtype=np.float32)  # the model's own order is alphabetical
    assert scorer.expected_gross_r(wish) == float(skilled.booster.inplace_predict(row)[0])
    poor = replace(candidate(), features=features(tell=-1.5, chatter=0.25))
    assert scorer.expected_gross_r(wish) > 0 > scorer.expected_gross_r(poor)


def test_a_model_is_named_by_its_content_and_promoted_by_a_pointer(
    skilled: TrainedModel, tmp_path: Path
) -> None:
    home = save(skilled, tmp_path)
    assert current(tmp_path) is None
    promote(home)
    assert current(tmp_path) == home == save(skilled, tmp_path)
    assert read_manifest(home).sha256.startswith(home.name)
    assert [path.name for path in tmp_path.rglob(".*")] == []


@pytest.mark.fault(97)
def test_a_model_that_was_altered_is_refused(skilled: TrainedModel, tmp_path: Path) -> None:
    home = save(skilled, tmp_path)
    content = bytearray((home / "model.ubj").read_bytes())
    content[len(content) // 2] ^= 1
    (home / "model.ubj").write_bytes(content)
    with pytest.raises(DataFileError, match="not the one its manifest describes"):
        ModelScorer.load(home)


@pytest.mark.fault(97)
@pytest.mark.parametrize("manifest", ["", "{}", "[]", '{"sha256": "ab", "features": 5}'])
def test_a_folder_without_a_whole_manifest_is_refused(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(DataFileError, match="holds no model that can be read"):
        ModelScorer.load(tmp_path)


@pytest.mark.fault(98)
def test_features_of_another_version_are_refused(skilled: TrainedModel, tmp_path: Path) -> None:
    home = save(skilled, tmp_path)
    with pytest.raises(DataFileError, match="trained on features 'test', and the strategy makes 'next'"):
        ModelScorer.load(home, feature_version="next")
    scorer = ModelScorer.load(home)
    strangers = (features(tell=1.0), replace(features(tell=1.0, chatter=0.0), version="next"))
    for numbers in strangers:
        with pytest.raises(DataFileError, match="train a new one"):
            scorer.expected_gross_r(replace(candidate(), features=numbers))
