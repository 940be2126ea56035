"""User-data events on their way out, where faults strike them."""

from typing import Any

import msgspec

from core.clock import Clock
from exchange.sim.server.faults.catalogue import StreamFault
from exchange.sim.server.faults.plan import FaultPlan, Rule

Event = dict[str, Any]

FOREIGN_SYMBOL = "NEVERLISTEDUSDT"


class EventFaults:
    """Turns one event into what is sent of it: nothing, itself, twice, later, in another order."""

    def __init__(self, plan: FaultPlan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._late: list[tuple[float, str, bytes]] = []
        self._swapped: dict[str, list[bytes]] = {}
        self._past: dict[str, bytes] = {}
        self.expired: set[str] = set()
        """Accounts whose listen key is to expire at the next opportunity."""

    def sent(self, account: str, event: Event) -> list[bytes]:
        """Return the payloads to send now in place of ``event``."""
        payload = msgspec.json.encode(event)
        struck = self._plan.strike(StreamFault, str(event["e"]))
        waiting = self._swapped.pop(account, [])
        payloads = self._struck(account, payload, *struck) if struck else [payload]
        self._past[account] = payload
        return payloads + waiting

    def due(self) -> list[tuple[str, bytes]]:
        """Return the late payloads whose time has come, each with its account."""
        now = self._clock.monotonic()
        due = [(account, payload) for at, account, payload in self._late if at <= now]
        self._late = [each for each in self._late if each[0] > now]
        return due

    def _struck(self, account: str, payload: bytes, fault: StreamFault, rule: Rule) -> list[bytes]:
        """Return what is sent at once; what comes later is set aside."""
        match fault:
            case StreamFault.EVENT_LATE:
                self._late.append((self._clock.monotonic() + rule.seconds, account, payload))
            case StreamFault.EVENTS_SWAPPED:
                self._swapped.setdefault(account, []).append(payload)
            case StreamFault.LISTEN_KEY_EXPIRED:
                self.expired.add(account)
        at_once: dict[StreamFault, list[bytes]] = {
            StreamFault.EVENT_TWICE: [payload, payload],
            StreamFault.EVENT_AGAIN: [payload, self._past.get(account, payload)],
            StreamFault.EVENT_MALFORMED: [payload[: len(payload) // 2]],
            StreamFault.EVENT_FOREIGN: [_foreign(payload)],
            StreamFault.LISTEN_KEY_EXPIRED: [payload],
        }
        return at_once.get(fault, [])


def _foreign(payload: bytes) -> bytes:
    event = msgspec.json.decode(payload)
    order = event.get("o")
    if isinstance(order, dict):
        order["s"] = FOREIGN_SYMBOL
    elif "s" in event:
        event["s"] = FOREIGN_SYMBOL
    for position in event.get("a", {}).get("P", []):
        position["s"] = FOREIGN_SYMBOL
    return msgspec.json.encode(event)
