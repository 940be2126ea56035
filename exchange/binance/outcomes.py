"""What each refusal of Binance means for an order, by numeric code: the one place that knows.

ccxt's exception classes are no guide: they put codes of unknown outcome and plain rejections on both
sides of the line, and differ by base URL.
"""

from collections.abc import Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """What an error says about the request that met it."""

    UNKNOWN = "unknown"  # it may have been carried out: ask before anything else
    OVERLOADED = "overloaded"  # most likely not carried out, but ask first
    DUPLICATE = "duplicate"  # an earlier request of this id was carried out: ask for it
    NO_CHANGE = "no_change"  # it was so already: success
    RATE_LIMITED = "rate_limited"
    CLOCK_SKEWED = "clock_skewed"
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not_found"  # right after sending this does not prove absence
    INVALID = "invalid"  # breaks a filter: our mistake or stale instrument data
    INSUFFICIENT_FUNDS = "insufficient_funds"
    WOULD_TRIGGER = "would_trigger"
    REDUCE_ONLY_REFUSED = "reduce_only_refused"  # probably flat already
    TOO_MANY_ORDERS = "too_many_orders"
    POSITION_LIMIT = "position_limit"
    MODE_BLOCKED = "mode_blocked"
    MODE_MISMATCH = "mode_mismatch"
    WRONG_ENDPOINT = "wrong_endpoint"
    ALREADY_PROTECTED = "already_protected"
    NO_POSITION_YET = "no_position_yet"
    BELOW_MIN_NOTIONAL = "below_min_notional"
    RESTRICTED = "restricted"
    REJECTED = "rejected"  # any other definite no

    @property
    def is_unknown(self) -> bool:
        """Whether the order may exist, so that it must be asked for and not sent again."""
        return self in _MAY_EXIST

    @property
    def is_for_people(self) -> bool:
        """Whether no order of ours will be taken until a person has changed something at the exchange."""
        return self in _FOR_PEOPLE


_FOR_PEOPLE = frozenset({Outcome.UNAUTHORISED, Outcome.MODE_MISMATCH, Outcome.RESTRICTED})
_MAY_EXIST = frozenset({Outcome.UNKNOWN, Outcome.OVERLOADED, Outcome.DUPLICATE})

BY_CODE: Mapping[int, Outcome] = {
    -1000: Outcome.UNKNOWN,
    -1001: Outcome.UNKNOWN,
    -1006: Outcome.UNKNOWN,
    -1007: Outcome.UNKNOWN,
    -1008: Outcome.OVERLOADED,
    -1003: Outcome.RATE_LIMITED,
    -1015: Outcome.RATE_LIMITED,
    -1021: Outcome.CLOCK_SKEWED,
    -5028: Outcome.CLOCK_SKEWED,
    -1022: Outcome.UNAUTHORISED,
    -2014: Outcome.UNAUTHORISED,
    -2015: Outcome.UNAUTHORISED,
    -1102: Outcome.INVALID,
    -1106: Outcome.INVALID,
    -1111: Outcome.INVALID,
    -1116: Outcome.INVALID,
    -1121: Outcome.INVALID,
    -4003: Outcome.INVALID,
    -4004: Outcome.INVALID,
    -4005: Outcome.INVALID,
    -4014: Outcome.INVALID,
    -4023: Outcome.INVALID,
    -4140: Outcome.INVALID,
    -2011: Outcome.NOT_FOUND,
    -2013: Outcome.NOT_FOUND,
    -2018: Outcome.INSUFFICIENT_FUNDS,
    -2019: Outcome.INSUFFICIENT_FUNDS,
    -2021: Outcome.WOULD_TRIGGER,
    -2022: Outcome.REDUCE_ONLY_REFUSED,
    -2025: Outcome.TOO_MANY_ORDERS,
    -4045: Outcome.TOO_MANY_ORDERS,
    -2027: Outcome.POSITION_LIMIT,
    -2028: Outcome.POSITION_LIMIT,
    -4161: Outcome.POSITION_LIMIT,
    -4046: Outcome.NO_CHANGE,
    -4059: Outcome.NO_CHANGE,
    -4047: Outcome.MODE_BLOCKED,
    -4048: Outcome.MODE_BLOCKED,
    -4067: Outcome.MODE_BLOCKED,
    -4068: Outcome.MODE_BLOCKED,
    -4061: Outcome.MODE_MISMATCH,
    -4111: Outcome.DUPLICATE,
    -4116: Outcome.DUPLICATE,
    -4120: Outcome.WRONG_ENDPOINT,
    -4130: Outcome.ALREADY_PROTECTED,
    -4509: Outcome.NO_POSITION_YET,
    -4164: Outcome.BELOW_MIN_NOTIONAL,
    -4087: Outcome.RESTRICTED,
    -4088: Outcome.RESTRICTED,
    -4192: Outcome.RESTRICTED,
    -4400: Outcome.RESTRICTED,
    -4401: Outcome.RESTRICTED,
}

_TURNED_AWAY = frozenset({403, 418, 429})


def outcome_of(status: int, code: int | None) -> Outcome:
    """Judge an HTTP status with the ``code`` of its JSON body, ``None`` where there was none.

    A known code decides. Otherwise a status from 500 on, a 408 or an answer without a code leaves the
    outcome open; a code we do not know under a 4xx is a definite no.
    """
    if status in _TURNED_AWAY:
        return Outcome.RATE_LIMITED
    if code is not None and code in BY_CODE:
        return BY_CODE[code]
    if status >= 500 or status == 408 or code is None:
        return Outcome.UNKNOWN
    return Outcome.REJECTED
