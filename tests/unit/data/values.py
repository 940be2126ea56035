"""Arbitrary values of the core's types, for properties that must hold of all of them."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_PLAIN: Mapping[type, SearchStrategy[Any]] = {
    NoneType: st.none(),
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
}


@cache
def values_of(kind: Any) -> SearchStrategy[Any]:
    """Return a strategy of every value a type allows, defaults replaced too."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, UnionType):
        return st.one_of([values_of(each) for each in get_args(kind)])
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{name: values_of(hint) for name, hint in hints.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    return _container(kind)


def _container(kind: Any) -> SearchStrategy[Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is np.ndarray:
        return st.integers(0, 3).flatmap(_candles)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return st.tuples(*(values_of(each) for each in arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if origin is frozenset:
        return st.frozensets(values_of(arguments[0]), max_size=2)
    return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=2)


def _candles(bars: int) -> SearchStrategy[Any]:
    numbers = st.floats(allow_infinity=False, allow_nan=True)
    rows = st.lists(st.lists(numbers, min_size=bars, max_size=bars), min_size=5, max_size=5)
    return rows.map(lambda each: np.array(each, dtype=np.float64).reshape(5, bars))
