"""One authenticated request, and its parameters read as Binance reads them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.market import DAY_MS
from exchange.sim.venue.account import Account
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.venue import Venue

JsonValue = dict[str, Any] | list[Any]

_NUMBER = re.compile(r"([0-9]{1,20})(\.[0-9]{1,20})?", re.ASCII)
_INTEGER = re.compile(r"[0-9]{1,18}", re.ASCII)
_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}", re.ASCII)
_CLIENT_ID_LENGTH = 36
_NEVER = 1 << 62

WEEK_MS = 7 * DAY_MS
LONGEST_MEMORY_MS = 90 * DAY_MS


class Params:
    """Query and body parameters; each reader raises Binance's own rejection for what it can not read."""

    def __init__(self, raw: Mapping[str, str]) -> None:
        self._raw = raw

    def text(self, name: str) -> str:
        value = self._raw.get(name)
        if not value:
            raise VenueRejection.because(Reason.MANDATORY_PARAMETER, name)
        return value

    def optional(self, name: str) -> str | None:
        value = self._raw.get(name)
        if value is not None and not value:
            raise VenueRejection.because(Reason.EMPTY_PARAMETER, name)
        return value

    def refuse(self, *names: str) -> None:
        """Reject parameters that must not be sent here."""
        for name in names:
            if self._raw.get(name):
                raise VenueRejection.because(Reason.PARAMETER_NOT_REQUIRED, name.lower())

    def decimal(self, name: str) -> Decimal:
        return _as_decimal(name, self.text(name))

    def optional_decimal(self, name: str) -> Decimal | None:
        value = self.optional(name)
        return None if value is None else _as_decimal(name, value)

    def integer(self, name: str) -> int:
        return _as_integer(name, self.text(name))

    def optional_integer(self, name: str) -> int | None:
        value = self.optional(name)
        return None if value is None else _as_integer(name, value)

    def flag(self, name: str) -> bool:
        """Read ``true`` or ``false`` in any case; absent is false."""
        value = self.optional(name)
        if value is None:
            return False
        if value.lower() not in ("true", "false"):
            raise VenueRejection.because(Reason.INVALID_PARAMETER, name)
        return value.lower() == "true"

    def required_flag(self, name: str) -> bool:
        self.text(name)
        return self.flag(name)

    def client_id(self, name: str) -> str:
        """Read an order's own id, or the empty string where the venue shall choose one."""
        value = self.optional(name)
        if value is None:
            return ""
        if len(value) > _CLIENT_ID_LENGTH:
            raise VenueRejection.because(Reason.CLIENT_ID_TOO_LONG)
        if not _CLIENT_ID.fullmatch(value):
            raise VenueRejection.because(Reason.ILLEGAL_CHARACTERS, name, r"^[\.A-Z\:/a-z0-9_-]{1,36}$")
        return value

    def json_list(self, name: str) -> list[Any]:
        try:
            parsed = json.loads(self.text(name))
        except (ValueError, RecursionError):
            raise VenueRejection.because(Reason.INVALID_PARAMETER, name) from None
        if not isinstance(parsed, list):
            raise VenueRejection.because(Reason.INVALID_PARAMETER, name)
        return parsed

    def listed(self, name: str) -> list[str]:
        """Read ``[1,2]`` or ``["a","b"]``; ccxt writes the name in lower case and leaves the quotes out."""
        value = self.optional(name) or self.optional(name.lower())
        if value is None:
            return []
        if not (value.startswith("[") and value.endswith("]")):
            raise VenueRejection.because(Reason.INVALID_PARAMETER, name)
        return [each.strip().strip('"') for each in value[1:-1].split(",") if each.strip()]

    def limit(self, *, default: int, most: int) -> int:
        """Read ``limit``; Binance clips too large a one."""
        value = self.optional_integer("limit")
        if value is None:
            return default
        if value < 1:
            raise VenueRejection.because(Reason.INVALID_PARAMETER, "limit")
        return min(value, most)

    def window(self) -> tuple[int, int]:
        """Read ``startTime`` and ``endTime``; open ends are as wide as can be."""
        start = self.optional_integer("startTime") or 0
        end = self.optional_integer("endTime")
        if end is None:
            return start, _NEVER
        if start > end:
            raise VenueRejection.because(Reason.START_AFTER_END)
        return start, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as the handlers see it: signed, in time, and within its limits."""

    venue: Venue
    account: Account
    params: Params
    now_ms: int

    def week(self) -> tuple[int, int]:
        """Read the window of a history: seven days at most, the last seven where none is given.

        Ids name their own beginning, so they need no window (allOrders and userTrades, API pages).
        """
        start, end = self.params.optional_integer("startTime"), self.params.optional_integer("endTime")
        if start is None and end is None:
            by_id = any(self.params.optional(name) for name in ("orderId", "algoId", "fromId"))
            return (0 if by_id else self.now_ms - WEEK_MS), _NEVER
        first = start if start is not None else (end or 0) - WEEK_MS
        last = end if end is not None else first + WEEK_MS
        if first > last:
            raise VenueRejection.because(Reason.START_AFTER_END)
        if last - first > WEEK_MS:
            raise VenueRejection.because(Reason.WINDOW_TOO_LONG)
        if first < self.now_ms - LONGEST_MEMORY_MS:
            raise VenueRejection.because(Reason.WINDOW_TOO_OLD)
        return first, last

    def symbol(self) -> str:
        """Read the mandatory symbol and require that it trades here."""
        return self.venue.floor.instrument(self.params.text("symbol")).symbol

    def optional_symbol(self) -> str | None:
        value = self.params.optional("symbol")
        return None if value is None else self.venue.floor.instrument(value).symbol


def _as_decimal(name: str, value: str) -> Decimal:
    if not _NUMBER.fullmatch(value):
        raise VenueRejection.because(Reason.ILLEGAL_CHARACTERS, name, r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
    return Decimal(value)


def _as_integer(name: str, value: str) -> int:
    if not _INTEGER.fullmatch(value):
        raise VenueRejection.because(Reason.ILLEGAL_CHARACTERS, name, "^[0-9]{1,20}$")
    return int(value)
