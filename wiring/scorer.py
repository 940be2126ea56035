"""What ranks a run's candidates: the promoted model of its folder, else what its trades have taught."""

import logging
from pathlib import Path

from core.clock import Clock
from core.errors import DataFileError
from core.features import FEATURE_VERSION
from core.notices import Alert, Severity
from core.ports import Notifier, Scorer
from ml.registry import current
from ml.scorer import ModelScorer

log = logging.getLogger(__name__)

MODELS = "models"


def scorer_in(folder: Path, *, notifier: Notifier, clock: Clock) -> Scorer | None:
    """Return the promoted model, ``None`` where there is none or where it is not what it is said to be.

    A model that is refused is told, and never keeps a run from starting.
    """
    try:
        home = current(folder)
        if home is None:
            return None
        model = ModelScorer.load(home, feature_version=FEATURE_VERSION)
    except (DataFileError, OSError) as fault:
        log.warning("no model: %s", fault)
        at = clock.market_ms()
        notifier.notify(Alert(key="model_refused", severity=Severity.WARNING, at=at, text=str(fault)))
        return None
    log.info("candidates are ranked by the model %s", home.name)
    return model
