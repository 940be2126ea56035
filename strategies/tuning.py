"""Parameters by name: told with their meanings, and changed by what people write."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from math import isfinite
from typing import Any, NamedTuple, TypeVar

P = TypeVar("P")


class Described(NamedTuple):
    """One parameter as people see it, and write it."""

    name: str
    value: str
    meaning: str


def describe(parameters: object, meanings: Mapping[str, str]) -> Iterator[Described]:
    """Yield every field of a dataclass, those of a dataclass within by a name with a dot."""
    for name, value in _named(parameters):
        yield Described(name, _written(value), meanings[name])


def tuned(parameters: P, changes: Mapping[str, str]) -> P:
    """Return other parameters, validated as a whole.

    Raises ``ValueError`` for a name that there is not, a value that can not be read, or one that the
    parameters themselves refuse.
    """
    by_field: dict[str, dict[str, str]] = defaultdict(dict)
    for name, text in changes.items():
        head, _, rest = name.partition(".")
        by_field[head][rest] = text
    current: Any = parameters
    values = {name: getattr(current, name, None) for name in by_field}
    if unknown := [name for name in changes if name not in dict(_named(parameters))]:
        raise ValueError(f"{unknown[0]} is no parameter{_nearest(unknown[0], parameters)}")
    return replace(current, **{name: _changed(values[name], by_field[name], name) for name in by_field})


def _named(parameters: Any) -> Iterator[tuple[str, Any]]:
    inner = []
    for name in (field.name for field in fields(parameters)):
        value = getattr(parameters, name)
        if is_dataclass(value):
            inner += [(f"{name}.{within}", each) for within, each in _named(value)]
        else:
            yield name, value
    yield from inner


def _nearest(name: str, parameters: object) -> str:
    near = get_close_matches(name, [known for known, _ in _named(parameters)], n=1)
    return f"; the nearest is {near[0]}" if near else ""


def _changed(current: Any, changes: Mapping[str, str], name: str) -> Any:
    if is_dataclass(current):
        return tuned(current, changes)
    text = changes[""]
    try:
        return _read(current, text)
    except (ValueError, KeyError):
        raise ValueError(f"{name} can not be {text!r}; it is {_written(current)}") from None


def _read(current: Any, text: str) -> Any:
    """Read a value of the kind that there is now."""
    if isinstance(current, bool):
        return {"true": True, "false": False}[text]
    if isinstance(current, tuple):
        return tuple(_knot(each) for each in text.split())
    if isinstance(current, int):
        return int(text)
    return _finite(text)


def _knot(text: str) -> tuple[float, float]:
    measure, grade = text.split(":")
    return _finite(measure), _finite(grade)


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{measure:.12g}:{grade:.12g}" for measure, grade in value)
    return str(value).lower() if isinstance(value, bool) else f"{value:.12g}"
