"""What is sent when: closed candles at once, everything unfinished at most four times a second."""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.clock import Clock
from exchange.sim.listings import Listings
from exchange.sim.market.candles import Integers, Row
from exchange.sim.market.market import Market
from exchange.sim.server import public_events
from exchange.sim.server.faults.desk import Faults
from exchange.sim.server.hub import Connection, Hub
from exchange.sim.server.intervals import INTERVALS
from exchange.sim.server.listen_keys import ListenKeys
from exchange.sim.server.public_events import PublicEvent
from exchange.sim.server.streams import WHEN_IT_HAPPENS, kline_interval
from exchange.sim.server.view import View
from exchange.sim.venue.venue import Venue

CONNECTION_LIFE_SECONDS = 24 * 3600.0
"""Binance closes every stream connection after a day (of machine time, like all that is about sockets)."""

_PATIENCE_SECONDS = 10.0


class Broadcast:
    """Listens to the stepper: lets the venue act on every step and tells every reader what is new to him."""

    def __init__(
        self,
        market: Market,
        venue: Venue,
        hub: Hub,
        *,
        view: View,
        keys: ListenKeys,
        listings: Listings,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self._market = market
        self._venue = venue
        self._hub = hub
        self._payloads, self._depths = view.payloads, view.depths
        self._keys = keys
        self._listings = listings
        self.faults = faults
        self._clock = clock
        self._congested: tuple[Connection, float] | None = None
        self._renderers: dict[str, Callable[[Integers], list[bytes]]] = {
            "markPrice": lambda who: view.payloads.marks(who, stream=True),
            "bookTicker": lambda who: view.payloads.book_tickers(who, stream=True),
            "ticker": lambda who: view.payloads.day_tickers(who, stream=True),
            "miniTicker": view.payloads.mini_tickers,
        }
        self._pushed_ms = market.now_ms
        self.accounts: list[str] = []

    def stepped(self, *, minute_closed: bool) -> None:
        if minute_closed:
            self._listings.update(self._market.now_ms)
            self.faults.minutes.minute_closed(self.accounts)
            self._tell_listings()
        self._venue.advance(self._market.now_ms)
        self.tell_accounts()
        if minute_closed:
            self._send_closed()

    def push(self) -> None:
        for channel in self._hub.channels():
            interval = kline_interval(channel)
            if interval is None:
                self._send(channel)
            else:
                self._send_forming(channel, interval)
        if self._market.now_ms > self._pushed_ms:
            self._depths.pushed()
        self._pushed_ms = self._market.now_ms

    def housekeep(self) -> None:
        self.faults.minutes.housekeep()
        for account, name, payload in self.faults.events.due():
            self._tell(account, payload, name=name)
        for channel, index, record in self.faults.candles.due():
            self._hub.deliver(channel, np.array([index]), [record])
        self._hub.retire(self._clock.monotonic() - CONNECTION_LIFE_SECONDS)
        self._expire_keys()

    def _expire_keys(self) -> None:
        struck = [self._keys.key_of(account) for account in self.faults.events.expired]
        self.faults.events.expired.clear()
        for key in self._keys.expire(key for key in struck if key):
            event = {"e": "listenKeyExpired", "E": self._market.now_ms, "listenKey": key}
            self._hub.deliver_private(key, msgspec.json.encode(event), event="listenKeyExpired")

    def is_congested(self) -> bool:
        """Whether somebody's socket is full; a reader that stays stuck for ten seconds is cut off."""
        worst, now = self._hub.most_unsent(), self._clock.monotonic()
        if worst is None:
            self._congested = None
            return False
        if self._congested is None or self._congested[0] is not worst:
            self._congested = worst, now
        elif now - self._congested[1] > _PATIENCE_SECONDS:
            worst.drop()
        return True

    def tell_accounts(self) -> None:
        """Send what the venue has to say to each account's open user streams."""
        for account in self.accounts:
            for event in self._venue.drain(account):
                self._tell_everybody(public_events.of(event))
                for name, payload in self.faults.events.sent(account, event):
                    self._tell(account, payload, name=name)

    def _tell_listings(self) -> None:
        for contract in self._listings.news():
            self._tell_everybody(public_events.contract_info(contract, now_ms=self._market.now_ms))

    def _tell_everybody(self, event: PublicEvent | None) -> None:
        if event is not None:
            index = np.array([self._market.index_of[event.symbol]])
            self._hub.deliver(event.channel, index, [event.payload])

    def _tell(self, account: str, payload: bytes, *, name: str) -> None:
        key = self._keys.key_of(account)
        if key is not None:
            self._hub.deliver_private(key, payload, event=name)

    def _send(self, channel: str) -> None:
        if channel in WHEN_IT_HAPPENS:
            return
        who = self._listed(channel, self._market.last > 0)
        if channel in ("aggTrade", "trade"):
            self._send_trades(channel, who)
        elif channel in self._renderers:
            self._hub.deliver(channel, who, self._renderers[channel](who))
        elif channel != "depth":
            count = int(channel.removeprefix("depth"))
            self._hub.deliver(channel, who, self._depths.partial(who, count=count))
        elif self._market.now_ms > self._pushed_ms:
            self._hub.deliver(channel, who, self._depths.updates(who, since_ms=self._pushed_ms))

    def _send_trades(self, channel: str, who: Integers) -> None:
        for index in who:
            for event in self._payloads.trade_events(int(index), channel, since_ms=self._pushed_ms):
                self._hub.deliver(channel, np.array([index]), [event])

    def _send_forming(self, channel: str, interval: str) -> None:
        open_ms, candles = self._market.forming(INTERVALS[interval])
        self._send_candles(channel, interval, candles, open_ms=open_ms, closed=False)

    def _send_closed(self) -> None:
        for channel in self._hub.channels():
            interval = kline_interval(channel)
            if interval is not None and self._market.minute_ms % INTERVALS[interval] == 0:
                length = INTERVALS[interval]
                candles = self._market.closed(length)
                open_ms = self._market.minute_ms - length
                self._send_candles(channel, interval, candles, open_ms=open_ms, closed=True)

    def _send_candles(
        self, channel: str, interval: str, candles: Integers, *, open_ms: int, closed: bool
    ) -> None:
        who = self.faults.candles.audible(self._listed(channel, candles[Row.OPEN] > 0))
        records = self._payloads.kline_events(
            who, candles, interval=interval, open_ms=open_ms, interval_ms=INTERVALS[interval], closed=closed
        )
        if not closed:
            self._hub.deliver(channel, who, records)
            return
        sent = self.faults.candles.sent(channel, who, records)
        for turn in range(max(map(len, sent), default=0)):
            chosen = [number for number, each in enumerate(sent) if turn < len(each)]
            self._hub.deliver(channel, who[chosen], [sent[number][turn] for number in chosen])

    def _listed(self, channel: str, existing: NDArray[np.bool_]) -> Integers:
        """Return the symbols that exist and that somebody wants."""
        wanted = self._hub.audience(channel)
        if wanted is None:
            return np.flatnonzero(existing)
        return wanted[existing[wanted]]
