"""Models on disk: one folder each, named by its own hash, and a pointer to the one in use."""

import json
import os
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from core.errors import DataFileError
from ml.training import TrainedModel

MODEL, MANIFEST, CURRENT = "model.ubj", "manifest.json", "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a model is and what it must be fed: ``features`` in their order, of one ``feature_version``."""

    sha256: str
    feature_version: str
    features: tuple[str, ...]
    label: str
    trained_until: int
    xgboost: str
    report: tuple[str, ...]
    objections: tuple[str, ...]


def save(model: TrainedModel, folder: Path) -> Path:
    """Write a model as a candidate and return its folder. Raises ``DataFileError`` where that fails."""
    import xgboost

    content = bytes(model.booster.save_raw("ubj"))
    manifest = Manifest(
        sha256=sha256(content).hexdigest(),
        feature_version=model.version,
        features=model.features,
        label="gross_r",
        trained_until=model.trained_until,
        xgboost=xgboost.__version__,
        report=tuple(model.report.lines()),
        objections=model.report.objections,
    )
    home = folder / manifest.sha256[:16]
    try:
        home.mkdir(parents=True, exist_ok=True)
        _write(home / MODEL, content)
        _write(home / MANIFEST, json.dumps(asdict(manifest), indent=2, ensure_ascii=False).encode())
    except OSError as error:
        raise DataFileError(f"The model can not be written to {home} ({error.strerror}).") from error
    return home


def promote(home: Path) -> None:
    """Make a saved model the one in use, in one step; the one before stays where it was."""
    read_manifest(home)
    _write(home.parent / CURRENT, f"{home.name}\n".encode())


def current(folder: Path) -> Path | None:
    """Return the folder of the model in use, ``None`` when none has been promoted."""
    pointer = folder / CURRENT
    return folder / pointer.read_text(encoding="utf-8").strip() if pointer.exists() else None


def read_manifest(home: Path) -> Manifest:
    """Raises ``DataFileError`` when the folder holds no complete model."""
    try:
        stated: dict[str, Any] = json.loads((home / MANIFEST).read_text(encoding="utf-8"))
        lists = {name: tuple(stated[name]) for name in ("features", "report", "objections")}
        return Manifest(**stated | lists)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataFileError(f"{home} holds no model that can be read ({error}): train a new one.") from error


def read_model(home: Path, manifest: Manifest) -> bytes:
    """Return the model's bytes. Raises ``DataFileError`` when they are not those of the manifest."""
    try:
        content = (home / MODEL).read_bytes()
    except OSError as error:
        raise DataFileError(f"{home} holds no model that can be read ({error}): train a new one.") from error
    if sha256(content).hexdigest() != manifest.sha256:
        raise DataFileError(f"The model in {home} is not the one its manifest describes: train a new one.")
    return content


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.tmp")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
