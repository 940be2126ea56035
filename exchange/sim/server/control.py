"""Calls that Binance does not have, under /sim/v1: how the market's time goes, and when it stops."""

from collections.abc import Mapping
from typing import Any

from exchange.sim.server import refusals
from exchange.sim.server.stepper import MarketTime, Stepper


class Control:
    """What tests, demo and benchmarks ask of the simulator itself. Neither weighed nor signed."""

    def __init__(self, time: MarketTime, stepper: Stepper) -> None:
        self._time = time
        self._stepper = stepper

    def answer(self, method: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return the simulator's status, after what the call asks for. Raises ``Refusal``."""
        match method, path:
            case "GET", "/sim/v1/status":
                pass
            case "POST", "/sim/v1/clock":
                self._set_clock(params)
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

    def _status(self) -> dict[str, Any]:
        return {
            "marketTime": self._time.now_ms,
            "startedAt": self._time.started_ms,
            "minutes": self._time.minutes_done,
            "speed": self._time.speed,
            "effectiveSpeed": round(self._stepper.effective_speed(), 3),
            "held": self._time.is_held,
        }
