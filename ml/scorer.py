"""A saved model as the trader's expectation of a candidate."""

from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from core.errors import DataFileError
from core.features import FeatureVector
from core.signals import Candidate
from ml.registry import Manifest, read_manifest, read_model

if TYPE_CHECKING:
    from xgboost import Booster


class ModelScorer:
    """``core.ports.Scorer`` by a model; it answers only for features of the version it was trained on."""

    def __init__(self, booster: "Booster", manifest: Manifest) -> None:
        self._booster = booster
        self._manifest = manifest

    @classmethod
    def load(cls, home: Path, *, feature_version: str | None = None) -> Self:
        """Load a model folder, which takes seconds the first time.

        Raises ``DataFileError`` when the files are not whole, or the model knows another version of the
        features than ``feature_version``.
        """
        import xgboost

        manifest = read_manifest(home)
        content = read_model(home, manifest)
        if feature_version not in {None, manifest.feature_version}:
            raise DataFileError(
                f"The model in {home} was trained on features {manifest.feature_version!r}, and the strategy"
                f" makes {feature_version!r}: train a new one."
            )
        try:
            booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(content))
        except xgboost.core.XGBoostError as error:
            raise DataFileError(
                f"The model in {home} can not be read by this xgboost: train a new one."
            ) from error
        return cls(booster, manifest)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def expected_gross_r(self, candidate: Candidate) -> float:
        """Raises ``DataFileError`` for a candidate whose features are not those it was trained on."""
        row = self._row(candidate.features)
        return float(self._booster.inplace_predict(row)[0])

    def _row(self, features: FeatureVector) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """Return [1, k] in the model's order; a feature no trade ever had is not among them."""
        missing = set(self._manifest.features) - set(features.names)
        if features.version != self._manifest.feature_version or missing:
            raise DataFileError(
                f"The model knows features {self._manifest.feature_version!r}, not {features.version!r}"
                f" ({len(missing)} missing): train a new one."
            )
        by_name = dict(zip(features.names, features.values, strict=True))
        return np.array([[by_name[name] for name in self._manifest.features]], dtype=np.float32)
