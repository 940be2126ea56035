"""REST calls between the socket and the exchange, where faults strike them."""

from collections.abc import Callable
from typing import Any

import msgspec

from core.clock import Clock
from exchange.sim.server import refusals
from exchange.sim.server.faults.catalogue import RestFault
from exchange.sim.server.faults.plan import FaultPlan, Rule
from exchange.sim.server.limits import WeightLimiter
from exchange.sim.server.rest import Call, Reply, Rest, refused

_PAGE = b"<html><head><title>%b</title></head><body><center><h1>%b</h1></center></body></html>"

_UNKNOWN = {
    RestFault.UNKNOWN_503: (503, -1000, "Unknown error, please check your request or try again later."),
    RestFault.ERROR_1000: (500, -1000, "An unknown error occured while processing the request."),
    RestFault.ERROR_1001: (500, -1001, "Internal error; unable to process your request. Please try again."),
    RestFault.ERROR_1006: (
        500,
        -1006,
        "An unexpected response was received from the message bus. Execution status unknown.",
    ),
    RestFault.ERROR_1007: (
        408,
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    ),
}
"""Status, code and sentence of an outcome nobody knows. The statuses are a guess."""

_FAILED = {
    RestFault.UNAVAILABLE_503: (503, -1000, "Service Unavailable."),
    RestFault.OVERLOADED_1008: (
        503,
        -1008,
        "Request throttled by system-level protection. Please try again.",
    ),
    RestFault.CLOCK_SKEW: (400, -1021, "Timestamp for this request is outside of the recvWindow."),
    RestFault.KEY_REVOKED: (401, -2015, "Invalid API-key, IP, or permissions for action."),
    RestFault.NOT_FOUND_YET: (400, -2013, "Order does not exist."),
}
_SETTINGS: dict[str, dict[str, Any]] = {
    "/fapi/v1/leverage": {"maxNotionalValue": "1000000"},
    "/fapi/v1/marginType": {"code": 200},
}


class FaultyRest:
    """Answers like ``Rest``, except where the plan strikes."""

    def __init__(self, rest: Rest, plan: FaultPlan, weights: WeightLimiter, *, clock: Clock) -> None:
        self._rest = rest
        self._plan = plan
        self._weights = weights
        self._clock = clock

    async def answer(self, call: Call) -> Reply | None:
        """Return the reply, or nothing where the connection is to be cut without one."""
        struck = self._plan.strike(RestFault, f"{call.method} {call.path}")
        if struck is None:
            return self._rest.answer(call)
        fault, rule = struck
        match fault:
            case RestFault.LOSE_REQUEST:
                await self._clock.sleep(rule.seconds)
                return None
            case RestFault.LOSE_REPLY:
                self._rest.answer(call)
                await self._clock.sleep(rule.seconds)
                return None
            case RestFault.LATE_REPLY:
                await self._clock.sleep(rule.seconds)
                return self._rest.answer(call)
            case _:
                return self._at_once(fault, rule, call)

    def _at_once(self, fault: RestFault, rule: Rule, call: Call) -> Reply:
        if fault in _FAILED:
            return _error(*_FAILED[fault])
        if fault in _UNKNOWN or fault is RestFault.GATEWAY_HTML:
            if rule.executed:
                self._rest.answer(call)
            return _error(*_UNKNOWN[fault]) if fault in _UNKNOWN else _page(502, b"502 Bad Gateway")
        if fault in _REFUSING:
            return _REFUSING[fault](self, rule, call)
        return _spoilt(self._rest.answer(call), fault)

    def _too_many(self, rule: Rule, call: Call) -> Reply:
        wait = max(1, int(rule.seconds))
        return refused(refusals.too_much_weight(call.address, self._weights.limit, wait), {})

    def _ban(self, _rule: Rule, call: Call) -> Reply:
        self._weights.ban(call.address)
        return self._rest.answer(call)

    def _refuse(self, rule: Rule, _call: Call) -> Reply:
        return _error(400, rule.code, "Refused on purpose by a fault rule.")

    def _firewall(self, _rule: Rule, _call: Call) -> Reply:
        return _page(403, b"403 Forbidden")

    def _pretend(self, _rule: Rule, call: Call) -> Reply:
        """Say that a setting was made; calls that make none are answered as ever."""
        if call.method != "POST" or call.path not in _SETTINGS:
            return self._rest.answer(call)
        answer: dict[str, Any] = {"symbol": call.params.get("symbol", ""), **_SETTINGS[call.path]}
        if "leverage" in call.params:
            answer["leverage"] = int(call.params["leverage"])
        return Reply(200, msgspec.json.encode(answer), {})


_REFUSING: dict[RestFault, Callable[[FaultyRest, Rule, Call], Reply]] = {
    RestFault.TOO_MANY_REQUESTS: FaultyRest._too_many,
    RestFault.BAN: FaultyRest._ban,
    RestFault.REFUSED: FaultyRest._refuse,
    RestFault.FIREWALL_403: FaultyRest._firewall,
    RestFault.SETTING_IGNORED: FaultyRest._pretend,
}


def _spoilt(reply: Reply, fault: RestFault) -> Reply:
    """Return a 200 whose JSON is not what it should be; errors stay as they are."""
    if reply.status != 200:
        return reply
    answer = msgspec.json.decode(reply.body)
    if fault in _SPOILT_LISTS:
        answer = _SPOILT_LISTS[fault](answer) if isinstance(answer, list) else answer
    else:
        _spoil_field(answer[-1] if isinstance(answer, list) and answer else answer, fault)
    return Reply(200, msgspec.json.encode(answer), reply.headers)


_SPOILT_LISTS: dict[RestFault, Callable[[list[Any]], list[Any]]] = {
    RestFault.PARTIAL_PAGE: lambda rows: rows[: len(rows) // 2],
    RestFault.ROW_MISSING: lambda rows: rows[: len(rows) // 2] + rows[len(rows) // 2 + 1 :],
    RestFault.ROW_TWICE: lambda rows: rows[: len(rows) // 2 + 1] + rows[len(rows) // 2 :],
    RestFault.ROWS_UNSORTED: lambda rows: rows[::-1],
}


def _spoil_field(record: Any, fault: RestFault) -> None:
    """Spoil the middle field of a record: which one is not the point, that code must check is."""
    if not isinstance(record, dict) or not record:
        return
    name = list(record)[len(record) // 2]
    value = record.pop(name)
    if fault is RestFault.FIELD_NULL:
        record[name] = None
    if fault is RestFault.FIELD_RENAMED:
        record[f"{name}V2"] = value


def _error(status: int, code: int, message: str) -> Reply:
    return Reply(status, msgspec.json.encode({"code": code, "msg": message}), {})


def _page(status: int, title: bytes) -> Reply:
    return Reply(status, _PAGE % (title, title), {}, content_type="text/html")
