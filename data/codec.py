"""JSON of the core's values: exact decimals, typed on the way back, the same bytes for the same value."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec
import numpy as np

from core.journal import (
    Body,
    CommandSent,
    DamageFound,
    EntryKind,
    IncomeBooked,
    IntentRecorded,
    MinuteJudged,
    OperatorActed,
    PositionChanged,
    PositionClosed,
    ReportReceived,
    RiskChanged,
    RunStarted,
    SignalJudged,
)

BODIES: Mapping[EntryKind, type[Body]] = {
    EntryKind.MINUTE: MinuteJudged,
    EntryKind.SIGNAL: SignalJudged,
    EntryKind.INTENT: IntentRecorded,
    EntryKind.COMMAND: CommandSent,
    EntryKind.REPORT: ReportReceived,
    EntryKind.POSITION: PositionChanged,
    EntryKind.TRADE: PositionClosed,
    EntryKind.RISK: RiskChanged,
    EntryKind.INCOME: IncomeBooked,
    EntryKind.OPERATOR: OperatorActed,
    EntryKind.RUN: RunStarted,
    EntryKind.DAMAGE: DamageFound,
}
_KINDS = {body: kind for kind, body in BODIES.items()}

T = TypeVar("T")


def kind_of(body: Body) -> EntryKind:
    return _KINDS[type(body)]


def encode_body(body: Body) -> bytes:
    """Return the body as JSON.

    Raises ``ValueError`` for what could not be read back (NaN has no JSON): better said while writing
    than found by the restart that needs it.
    """
    kind = kind_of(body)
    payload = encode(_with_names(body, _ALTERNATIVES[kind]) if _ALTERNATIVES[kind] else body)
    decode_body(kind, payload)
    return payload


def decode_body(kind: EntryKind, payload: bytes) -> Body:
    """Raises ``ValueError`` where the payload is not a body of this kind."""
    body: Any = BODIES[kind]
    if not _ALTERNATIVES[kind]:
        return cast(Body, decode(payload, body))
    hints = get_type_hints(body)
    values = {
        name: _named(value, _ALTERNATIVES[kind][name])
        if name in _ALTERNATIVES[kind]
        else decode(value, hints[name])
        for name, value in decode(payload, dict[str, msgspec.Raw]).items()
        if name in hints
    }
    try:
        return cast(Body, body(**values))
    except TypeError as error:
        raise ValueError(str(error)) from error


def encode(value: object) -> bytes:
    """Return any of the core's values as JSON with sorted names."""
    return _ENCODER.encode(value)


def decode(payload: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Raises ``ValueError`` where the payload does not describe a ``kind``."""
    value: T = _decoder(cast(Any, kind)).decode(payload)
    return value


def _alternatives(body: Any) -> Mapping[str, Mapping[str, type]]:
    """Return the fields that may hold one of several dataclasses, which JSON must therefore name."""
    members = {name: get_args(hint) for name, hint in get_type_hints(body).items()}
    return {
        name: {each.__name__: each for each in types}
        for name, types in members.items()
        if len(types) > 1 and all(is_dataclass(each) for each in types)
    }


def _with_names(body: Body, alternatives: Mapping[str, Mapping[str, type]]) -> Mapping[str, object]:
    values = {field.name: getattr(body, field.name) for field in fields(body)}
    return values | {name: {type(values[name]).__name__: values[name]} for name in alternatives}


def _named(raw: msgspec.Raw, types: Mapping[str, type]) -> object:
    ((name, value),) = decode(raw, dict[str, msgspec.Raw]).items()
    if name not in types:
        raise ValueError(f"{name} is not one of {', '.join(types)}")
    return decode(value, types[name])


def _to_json(value: object) -> object:
    if isinstance(value, np.ndarray):
        if np.isinf(value).any():
            raise ValueError("an array holds an infinite number")
        return value.tolist()  # NaN, a missing candle, becomes null
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise ValueError(f"{type(value).__name__} can not be stored")


def _from_json(kind: Any, value: Any) -> object:
    if getattr(kind, "__origin__", kind) is np.ndarray:
        return np.array(value, dtype=np.float64)
    raise ValueError(f"{kind} can not be read")


_ALTERNATIVES = {kind: _alternatives(body) for kind, body in BODIES.items()}
_ENCODER = msgspec.json.Encoder(enc_hook=_to_json, order="sorted")


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, dec_hook=_from_json)
