"""What a run says of itself before it decides anything, written down so that it can be repeated."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256

from pydantic import SecretStr

from core.journal import RunStarted
from core.market import SymbolAxis
from core.settings import Settings, env_name
from wiring.strategies import chosen_strategies
from wiring.version import version


def declaration(mode: str, axis: SymbolAxis, settings: Settings) -> RunStarted:
    """Name version, mode, account, axis, and every number the run decides by; no secret is among them."""
    parameters = numbers_of(settings)
    return RunStarted(
        mode=mode,
        version=version(),
        account=settings.account,
        parameters=parameters,
        parameters_sha256=sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest(),
        settings=_told(settings),
        axis=axis.names,
    )


def numbers_of(settings: Settings) -> Mapping[str, str]:
    """Return every parameter of sizing, risk and strategies as text, by its dotted name."""
    chosen = {
        f"{strategy}.{name}": value
        for strategy, parameters in chosen_strategies(settings).described()
        for name, value, _ in parameters
    }
    return dict(_leaves(settings.parameters())) | chosen


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if not is_dataclass(value):
        yield name, str(value)
        return
    for field in fields(value):
        yield from _leaves(getattr(value, field.name), f"{name}.{field.name}" if name else field.name)


def _told(settings: Settings) -> Mapping[str, str]:
    """Return the settings that are no secrets, as a person would write them."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return {
        env_name(name): ",".join(sorted(map(str, value)))
        if isinstance(value, frozenset | tuple)
        else str(value)
        for name, value in values.items()
        if value is not None and not isinstance(value, SecretStr)
    }
