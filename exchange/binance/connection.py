"""Everything of one Binance-compatible venue, put together: orders, candles and streams on one budget."""

from collections.abc import Sequence

from core.clock import Clock
from core.rng import Rng
from exchange.binance.addresses import BinanceAddresses, Credentials
from exchange.binance.candles import BinanceCandles
from exchange.binance.circuits import EndpointClass
from exchange.binance.examination import BinanceExamination
from exchange.binance.futures import BinanceFutures
from exchange.binance.market_stream import BinanceMarketStreams, MarketSink
from exchange.binance.rest import BinanceRest
from exchange.binance.transport import AiohttpTransport, Transport
from exchange.binance.user_stream import UserStream
from exchange.limits.ban import BanNote
from exchange.limits.breaker import CircuitState
from exchange.limits.orders import OrderLimiter
from exchange.limits.weight import WeightLimiter


class BinanceConnection:
    """Holds the parts that share sockets and request weight; ``close`` it last.

    ``speed`` is how many market seconds pass in a machine second: the simulator's, 1 elsewhere. ``ban`` is
    where a ban is noted for the next process.
    """

    def __init__(
        self,
        addresses: BinanceAddresses,
        credentials: Credentials,
        *,
        clock: Clock,
        rng: Rng,
        speed: float = 1.0,
        transport: Transport | None = None,
        ban: BanNote | None = None,
    ) -> None:
        self._addresses = addresses
        self._clock = clock
        self._rng = rng
        self._transport = transport or AiohttpTransport()
        self.limiter = WeightLimiter(clock, period=60.0 / speed, note=ban)
        self.orders = OrderLimiter(clock, period=60.0 / speed)
        self.api = BinanceRest(
            addresses,
            credentials,
            transport=self._transport,
            limiter=self.limiter,
            orders=self.orders,
            clock=clock,
        )
        self.user_stream = UserStream(self.api, self._transport, addresses, clock=clock, rng=rng)
        self.exchange = BinanceFutures(self.api, self.user_stream, clock=clock, rng=rng)
        self.candles = BinanceCandles(self.api, clock=clock, rng=rng)
        self.examination = BinanceExamination(
            self.api, clock=clock, rng=rng, has_wallet=bool(addresses.wallet)
        )

    @property
    def signs(self) -> bool:
        """Whether there is an account on this connection."""
        return self.api.signs

    def set_speed(self, speed: float) -> None:
        """Count weight and orders in market minutes that pass so many times as fast."""
        self.limiter.set_period(60.0 / speed)
        self.orders.period = 60.0 / speed

    @property
    def is_cut_off(self) -> bool:
        """Whether the exchange has stopped answering what is asked all the time."""
        kind = EndpointClass.ACCOUNT if self.signs else EndpointClass.MARKET
        return self.api.circuits[kind].state is not CircuitState.CLOSED

    @property
    def bars_entries(self) -> bool:
        """Whether some class of calls has fallen silent: no moment to open anything."""
        return self.is_cut_off or self.api.circuits.any_open

    def market_streams(self, symbols: Sequence[str], sink: MarketSink) -> BinanceMarketStreams:
        """Make streams of ``symbols`` that feed ``sink``; whoever makes them starts and closes them."""
        return BinanceMarketStreams(
            self._transport, self._addresses, symbols, sink, clock=self._clock, rng=self._rng
        )

    async def close(self) -> None:
        await self.exchange.close()
        await self._transport.close()
