"""What a model expects of a candidate, and what experience does where the model can not tell."""

import logging
from collections.abc import Callable

from core.errors import DataFileError
from core.ports import Scorer
from core.signals import Candidate

log = logging.getLogger(__name__)


class ModelOrExperience:
    """A ``core.ports.Scorer`` that never leaves a candidate unjudged, whatever source it comes from."""

    def __init__(self, model: Scorer, experience: Callable[[], Scorer]) -> None:
        self._model = model
        self._experience = experience

    def expected_gross_r(self, candidate: Candidate) -> float:
        try:
            return self._model.expected_gross_r(candidate)
        except DataFileError as fault:
            log.warning("%s is judged by experience: %s", candidate.signal_id, fault)
            return self._experience().expected_gross_r(candidate)
