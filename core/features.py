"""The named numbers a decision was made on, stored beside its outcome."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureVector:
    """Finite values by name, in the fixed order of ``version``: what is scored is what is stored."""

    version: str
    names: tuple[str, ...]
    values: tuple[float, ...]

    def __getitem__(self, name: str) -> float:
        return self.values[self.names.index(name)]
