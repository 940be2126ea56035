"""Calls that Binance does not have, under /sim/v1: market time, faults, further accounts."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from exchange.sim.server import refusals
from exchange.sim.server.faults.plan import FaultPlan
from exchange.sim.server.faults.wording import rule_of
from exchange.sim.server.stepper import MarketTime, Stepper

_RICHEST = 10**12


class Control:
    """What tests, demo and benchmarks ask of the simulator itself. Neither weighed nor signed."""

    def __init__(
        self,
        time: MarketTime,
        stepper: Stepper,
        plan: FaultPlan,
        *,
        open_account: Callable[[Decimal, str | None], Mapping[str, str]],
        rights_of: Callable[[str], dict[str, bool]],
    ) -> None:
        self._time = time
        self._stepper = stepper
        self._plan = plan
        self._open = open_account
        self._rights_of = rights_of

    def answer(self, method: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return the simulator's status, after what the call asks for. Raises ``Refusal``."""
        match method, path:
            case "GET", "/sim/v1/status":
                pass
            case "POST", "/sim/v1/clock":
                self._set_clock(params)
            case "GET", "/sim/v1/faults":
                return self._faults_in_force()
            case "POST", "/sim/v1/faults":
                self._plan.add([rule_of(params)])
                return self._faults_in_force()
            case "DELETE", "/sim/v1/faults":
                self._plan.clear()
                return self._faults_in_force()
            case "POST", "/sim/v1/accounts":
                return self._open_account(params)
            case "POST", "/sim/v1/keys":
                return self._grant(params)
            case _:
                raise refusals.no_such_path(method, path)
        return self._status()

    def _set_clock(self, params: Mapping[str, str]) -> None:
        """``minutes``: go on for so many from now (empty: for ever); ``speed``: as in the configuration."""
        try:
            speed = float(params.get("speed", self._time.speed))
            minutes = int(params["minutes"]) if params.get("minutes") else None
        except ValueError:
            raise refusals.malformed("speed or minutes") from None
        if not 0 <= speed < 1e6 or (minutes is not None and minutes < 0):
            raise refusals.malformed("speed or minutes")
        self._time.speed = speed
        self._stepper.anchor()
        if "minutes" in params:
            self._time.run_for(minutes)

    def _faults_in_force(self) -> dict[str, Any]:
        """Return each rule with how often it was asked and how often it struck, and all that happened."""
        rules = [
            {
                "fault": each.rule.fault.value,
                "match": each.rule.match,
                "seen": each.seen,
                "struck": each.struck,
            }
            for each in self._plan.active
        ]
        strikes = [[each.fault.value, each.subject, each.number] for each in self._plan.strikes]
        return {"rules": rules, "strikes": strikes}

    def _open_account(self, params: Mapping[str, str]) -> dict[str, Any]:
        """``deposit`` in USDT; ``publicKey`` (PEM) for an account that signs with Ed25519."""
        try:
            deposit = Decimal(params.get("deposit", "10000"))
        except InvalidOperation:
            raise refusals.malformed("deposit") from None
        if not (deposit.is_finite() and 0 <= deposit <= _RICHEST):
            raise refusals.malformed("deposit")
        return dict(self._open(deposit, params.get("publicKey")))

    def _grant(self, params: Mapping[str, str]) -> dict[str, Any]:
        """``account``, the first by default; any other name is a right of its keys, true or false."""
        wanted = dict(params)
        try:
            rights = self._rights_of(wanted.pop("account", "account-1"))
        except LookupError:
            raise refusals.malformed("account") from None
        if not set(wanted.values()) <= {"true", "false"}:
            raise refusals.malformed("rights")
        rights.update({name: value == "true" for name, value in wanted.items()})
        return dict(rights)

    def _status(self) -> dict[str, Any]:
        return {
            "marketTime": self._time.now_ms,
            "startedAt": self._time.started_ms,
            "minutes": self._time.minutes_done,
            "speed": self._time.speed,
            "effectiveSpeed": round(self._stepper.effective_speed(), 3),
            "held": self._time.is_held,
        }
