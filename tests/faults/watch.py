"""Looks at the exchange after every round of the loop and holds what it sees to the invariants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice

from core.clock import Clock
from core.order_ids import role_of
from core.orders import Role
from exchange.binance.transport import HttpRequest, HttpResponse
from exchange.sim.venue.orders import Order
from tests.faults import invariants
from tests.faults.invariants import Ledger, Violation
from tests.faults.truth import ACCOUNT, Truth, is_ours

_LOOK_EVERY = 0.25
_TURNED_AWAY = frozenset({418, 429})
_HELD_KNOWN = 15.0
"""So many seconds after something is held on a symbol, whoever opened it, nobody may enter there."""
_PANIC_SECONDS = 12.0


class Watch:
    """Judges safety while it storms.

    A deadline runs only while nothing strikes: each fault, and each crash, gives it anew. In storms of one
    or two faults that is as strict as it can be; in a storm of many, the calm after it is the judge. That a
    stop can not be placed gives none: what it would have protected can still be closed.
    """

    def __init__(self, truth: Truth, clock: Clock, *, most_positions: int) -> None:
        self._truth = truth
        self._clock = clock
        self._most = most_positions
        self._seen_orders = 0
        self._seen_conditionals = 0
        self._seen_trades = 0
        self._strikes = 0
        self._looked_at = -1.0
        self._running: dict[str, Decimal] = {}
        self._secrets = (truth.simulator.api_key, truth.simulator.api_secret, "signature=")
        self._since: dict[tuple[str, str], float] = {}
        self._ban_ends = 0.0
        self._noted: Violation | None = None
        self.trouble_at = 0.0
        self.ledger = Ledger()
        self.longest_exposure = 0.0

    def look(self) -> None:
        """Check everything that has changed. Raises ``Violation``."""
        self.say()
        self._judge_new_orders()
        self._judge_new_trades()
        now = self._clock.monotonic()
        if now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            self._judge_time(now)

    def trouble(self, *, lasts: float = 0.0) -> None:
        """Take note that something went wrong that is not the trader's fault."""
        self.trouble_at = max(self.trouble_at, self._clock.monotonic() + lasts)

    def slept(self, *, since: float) -> None:
        """Take note that the machine has slept from ``since`` until now: of a ban it missed the seconds.

        It keeps away for as long as was left of the ban when it fell asleep. That it is over, only the wall
        clock could say, and that one anybody may have set.
        """
        self.trouble(lasts=max(self._ban_ends - since, 0.0))

    def asked(self, request: HttpRequest) -> None:
        with self._noting():
            invariants.not_banned(self._clock.monotonic(), self._ban_ends, request.method + _path(request))
            if request.method == "DELETE":
                invariants.only_ours_cancelled(f"{request.url}&{request.body or ''}")

    def overhear(self, text: str) -> None:
        """Take note of something said, written or logged."""
        with self._noting():
            invariants.kept_secret(text, (*self._secrets, self._listen_key()))

    def noted(self, check: Callable[[], None]) -> None:
        """Run a check and note the ``Violation`` it raises."""
        with self._noting():
            check()

    def say(self) -> None:
        """Raise the ``Violation`` that was noted where it would have been the trader's to catch."""
        if self._noted is not None:
            raise self._noted

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except Violation as violation:
            self._noted = self._noted or violation

    def _listen_key(self) -> str:
        return self._truth.simulator.keys.key_of(ACCOUNT) or "no listen key"

    def told(self, request: HttpRequest, response: HttpResponse | None) -> None:
        """Take note of an answer as it reaches the trader, of its absence too."""
        was_turned_away = response is not None and response.status in _TURNED_AWAY
        has_failed = response is None or response.status >= 400
        if was_turned_away or (has_failed and not _is_stop(f"{request.method} {_path(request)}")):
            self.trouble()
        if response is not None and was_turned_away:
            wait = float(response.headers.get("Retry-After", "0"))
            self._ban_ends = max(self._ban_ends, self._clock.monotonic() + wait)
            self.trouble(lasts=wait)

    def _judge_new_orders(self) -> None:
        account = self._truth.account
        if len(account.orders) > self._seen_orders:
            for order in islice(account.orders.values(), self._seen_orders, None):
                if is_ours(order.client_id) and order.origin is None:
                    invariants.intent_came_first(order, self.ledger)
                    invariants.was_prepared(order, self._truth, self.ledger, most=self._most)
                    self._judge_entry(order)
            self._seen_orders = len(account.orders)
        if len(account.conditionals) > self._seen_conditionals:
            for conditional in islice(account.conditionals.values(), self._seen_conditionals, None):
                if is_ours(conditional.client_id):
                    invariants.intent_came_first(conditional, self.ledger)
            self._seen_conditionals = len(account.conditionals)

    def _judge_entry(self, order: Order) -> None:
        """Hold an entry to what was held on its symbol before it, and for how long."""
        if role_of(order.client_id) is not Role.ENTRY:
            return
        invariants.entered_while_fresh(order, self.ledger, market_ms=self._truth.simulator.market.now_ms)
        since = self._since.get(("held", order.symbol))
        if since is not None:
            now = self._clock.monotonic()
            invariants.entered_where_free(order, self._patience(now - since, now), patience=_HELD_KNOWN)

    def _judge_new_trades(self) -> None:
        trades = self._truth.account.trades
        if len(trades) == self._seen_trades:
            return
        for trade in islice(trades, self._seen_trades, None):
            before = self._running.get(trade.symbol, Decimal(0))
            after = self._running[trade.symbol] = before + trade.side.sign * trade.quantity
            if not after:
                self._over(trade.symbol)
            owner = self._truth.owner_of_trade(trade)
            if is_ours(owner):
                invariants.never_flips(trade, before, owner)
            else:
                self._truth.meddled.add(trade.symbol)
        self._seen_trades = len(trades)
        invariants.opened_once(trades, self._truth, self.ledger)

    def _judge_time(self, now: float) -> None:
        strikes = self._truth.simulator.faults.strikes
        if not all(_is_stop(each.subject) for each in islice(strikes, self._strikes, None)):
            self.trouble()
        self._strikes = len(strikes)
        invariants.left_alone(self._truth)
        for symbol in self._truth.symbols:
            self._lasting("held", symbol, bool(self._truth.held(symbol)), now)
        for symbol in self._truth.ours:
            held = self._truth.held(symbol)
            is_exposed = bool(held) and not invariants.is_covered(self._truth, symbol)
            exposed = self._lasting("exposed", symbol, is_exposed, now)
            self.longest_exposure = max(self.longest_exposure, exposed)
            if self._patience(exposed, now) > invariants.EXPOSED_SECONDS:
                raise Violation(f"I1 {held} {symbol} without a stop for {exposed:.1f} s")
            is_panicked = bool(held) and self.ledger.is_panicking
            if self._patience(self._lasting("panicked", symbol, is_panicked, now), now) > _PANIC_SECONDS:
                raise Violation(f"I11 {symbol} is held {_PANIC_SECONDS:.0f} s after a panic")
            is_orphaned = not held and any(self._truth.resting(symbol))
            orphaned = self._lasting("orphaned", symbol, is_orphaned, now)
            if self._patience(orphaned, now) > invariants.ORPHAN_SECONDS:
                left = [order.client_id for order in self._truth.resting(symbol)]
                raise Violation(f"I4 flat in {symbol} for {orphaned:.1f} s, but {left} rest")

    def _lasting(self, what: str, symbol: str, holds: bool, now: float) -> float:
        """Return for how long something has been so."""
        if not holds:
            self._since.pop((what, symbol), None)
            return 0.0
        return now - self._since.setdefault((what, symbol), now)

    def _over(self, symbol: str) -> None:
        """Take note that it was flat, be it between two looks."""
        for what in ("held", "exposed", "panicked"):
            self._since.pop((what, symbol), None)

    def _patience(self, lasted: float, now: float) -> float:
        """Return how much of that time nothing was in our way."""
        return min(lasted, now - self.trouble_at)


def _is_stop(call: str) -> bool:
    return call == "POST /fapi/v1/algoOrder"


def _path(request: HttpRequest) -> str:
    return request.url.partition("?")[0].removeprefix("http://exchange")
