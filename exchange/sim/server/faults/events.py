"""User-data events on their way out, where faults strike them."""

from typing import Any

import msgspec

from core.clock import Clock
from exchange.sim.server.faults.catalogue import StreamFault
from exchange.sim.server.faults.plan import FaultPlan, Rule

Event = dict[str, Any]
Sent = tuple[str, bytes]
"""An event's name and its payload."""

_HUGE = 1_000_000

FOREIGN_SYMBOL = "NEVERLISTEDUSDT"


class EventFaults:
    """Turns one event into what is sent of it: nothing, itself, twice, later, in another order."""

    def __init__(self, plan: FaultPlan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._late: list[tuple[float, str, Sent]] = []
        self._swapped: dict[str, list[Sent]] = {}
        self._past: dict[str, Sent] = {}
        self.expired: set[str] = set()
        """Accounts whose listen key is to expire at the next opportunity."""

    def sent(self, account: str, event: Event) -> list[Sent]:
        """Return what to send now in place of ``event``."""
        whole = str(event["e"]), msgspec.json.encode(event)
        struck = self._plan.strike(StreamFault, whole[0])
        waiting = self._swapped.pop(account, [])
        now = self._struck(account, whole, *struck) if struck else [whole]
        self._past[account] = whole
        return now + waiting

    def due(self) -> list[tuple[str, str, bytes]]:
        """Return account, name and payload of the late events whose time has come."""
        now = self._clock.monotonic()
        due = [(account, *sent) for at, account, sent in self._late if at <= now]
        self._late = [each for each in self._late if each[0] > now]
        return due

    def _struck(self, account: str, whole: Sent, fault: StreamFault, rule: Rule) -> list[Sent]:
        """Return what is sent at once; what comes later is set aside."""
        match fault:
            case StreamFault.EVENT_LATE:
                self._late.append((self._clock.monotonic() + rule.seconds, account, whole))
            case StreamFault.EVENTS_SWAPPED:
                self._swapped.setdefault(account, []).append(whole)
            case StreamFault.LISTEN_KEY_EXPIRED:
                self.expired.add(account)
        name, payload = whole
        at_once: dict[StreamFault, list[Sent]] = {
            StreamFault.EVENT_TWICE: [whole, whole],
            StreamFault.EVENT_AGAIN: [whole, self._past.get(account, whole)],
            StreamFault.EVENT_MALFORMED: [(name, payload[: len(payload) // 2])],
            StreamFault.EVENT_NOT_TEXT: [(name, payload.replace(b'"s"', b'"\xff\xfe"'))],
            StreamFault.EVENT_HUGE: [(name, payload[:-1] + b',"padding":"' + b"x" * _HUGE + b'"}')],
            StreamFault.EVENT_FOREIGN: [(name, _foreign(payload))],
            StreamFault.LISTEN_KEY_EXPIRED: [whole],
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
