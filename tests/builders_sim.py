"""Builders for the simulated venue: one invented contract, quotes set by hand, and short requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.instruments import Instrument, LeverageBracket
from exchange.sim.trading_api import ROUTES
from exchange.sim.venue.quotes import Level
from exchange.sim.venue.rejections import VenueRejection
from exchange.sim.venue.terms import Side
from exchange.sim.venue.venue import Venue

SYMBOL = "ABCUSDT"
MAIN = "main"
HOUR_MS = 3_600_000
D = Decimal

BRACKETS = (
    LeverageBracket(floor=D(0), cap=D(5_000), maintenance_margin_rate=D("0.01"), max_leverage=50, cum=D(0)),
    LeverageBracket(
        floor=D(5_000), cap=D(20_000), maintenance_margin_rate=D("0.025"), max_leverage=20, cum=D(75)
    ),
    LeverageBracket(
        floor=D(20_000), cap=D(100_000), maintenance_margin_rate=D("0.05"), max_leverage=10, cum=D(575)
    ),
)


def contract(symbol: str = SYMBOL, **facts: Any) -> Instrument:
    """A contract near 100 USDT: tick 0.01, step 0.1, at most 1,000 by limit and 500 by market."""
    defaults: dict[str, Any] = {
        "symbol": symbol,
        "base": symbol.removesuffix("USDT"),
        "tick_size": D("0.01"),
        "step_size": D("0.1"),
        "min_quantity": D("0.1"),
        "max_quantity": D(1_000),
        "max_market_quantity": D(500),
        "min_notional": D(5),
        "price_precision": 2,
        "quantity_precision": 1,
        "percent_up": D("1.05"),
        "percent_down": D("0.95"),
        "trigger_protect": D("0.05"),
        "market_take_bound": D("0.05"),
        "liquidation_fee": D("0.0125"),
        "brackets": BRACKETS,
    }
    return Instrument(**defaults | facts)


@dataclass
class Quote:
    """Prices of one symbol; bid and ask stand half a spread around ``last``."""

    last: Decimal = Decimal(100)
    mark: Decimal = Decimal(100)
    half_spread: Decimal = Decimal("0.01")
    depth: Decimal = Decimal(100_000)
    levels: dict[Side, Sequence[Level]] = field(default_factory=dict)
    funding_rate: Decimal = Decimal("0.0001")
    next_funding_ms: int = 8 * HOUR_MS


class FixedQuotes:
    """A market that stands still until a test moves it."""

    def __init__(self, *symbols: str) -> None:
        self.quotes = {symbol: Quote() for symbol in symbols or (SYMBOL,)}

    def move(self, price: str | Decimal, *, symbol: str = SYMBOL, mark: str | Decimal | None = None) -> None:
        """Set last and mark, the same where no mark is given; a hand-made book is forgotten."""
        quote = self.quotes[symbol]
        quote.last = D(price)
        quote.mark = D(price if mark is None else mark)
        quote.levels = {}

    def last(self, symbol: str) -> Decimal:
        return self.quotes[symbol].last

    def mark(self, symbol: str) -> Decimal:
        return self.quotes[symbol].mark

    def index(self, symbol: str) -> Decimal:
        return self.quotes[symbol].mark

    def best_bid(self, symbol: str) -> Decimal:
        return self.book(symbol, Side.SELL)[0][0]

    def best_ask(self, symbol: str) -> Decimal:
        return self.book(symbol, Side.BUY)[0][0]

    def book(self, symbol: str, side: Side) -> Sequence[Level]:
        quote = self.quotes[symbol]
        touch = quote.last + side.sign * quote.half_spread
        return quote.levels.get(side, [(touch, quote.depth)])

    def funding_rate(self, symbol: str) -> Decimal:
        return self.quotes[symbol].funding_rate

    def next_funding_ms(self, symbol: str) -> int:
        return self.quotes[symbol].next_funding_ms


class Terminal:
    """A venue with one account, spoken to through the REST routes, and a clock that a test moves."""

    def __init__(
        self, *symbols: str, deposit: str = "10000", instruments: Mapping[str, Instrument] | None = None
    ) -> None:
        names = symbols or (SYMBOL,)
        self.instruments = dict(instruments or {name: contract(name) for name in names})
        self.quotes = FixedQuotes(*self.instruments)
        self.venue = Venue(self.instruments, self.quotes)
        self.account = self.venue.open_account(MAIN, D(deposit))
        self.now_ms = 1_000

    def ask(self, method: str, path: str, **params: Any) -> Any:
        """Call a route as the server does; ``path`` is given without its /fapi/v1/ where it has one."""
        full = path if path.startswith("/") else f"/fapi/v1/{path}"
        texts = {name: _text(value) for name, value in params.items()}
        return ROUTES[method, full](self.venue, MAIN, texts, self.now_ms)

    def attempt(self, method: str, path: str, **params: Any) -> Any:
        """Call a route that may refuse, and return its answer or the refusal."""
        try:
            return self.ask(method, path, **params)
        except VenueRejection as refusal:
            return refusal

    def refusal(self, method: str, path: str, **params: Any) -> VenueRejection:
        """Call a route that must refuse, and return the refusal."""
        answer = self.attempt(method, path, **params)
        assert isinstance(answer, VenueRejection), f"expected a rejection, got {answer}"
        return answer

    def order(self, side: str = "BUY", quantity: str = "1", **params: Any) -> Any:
        return self.ask("POST", "order", **order_params(side, quantity, **params))

    def order_code(self, side: str = "BUY", quantity: str = "1", **params: Any) -> int:
        return self.refusal("POST", "order", **order_params(side, quantity, **params)).code

    def stop(self, trigger: str, side: str = "SELL", **params: Any) -> Any:
        return self.ask("POST", "algoOrder", **stop_params(trigger, side, **params))

    def stop_code(self, trigger: str, side: str = "SELL", **params: Any) -> int:
        return self.refusal("POST", "algoOrder", **stop_params(trigger, side, **params)).code

    def step(self, price: str | None = None, *, mark: str | None = None, symbol: str = SYMBOL) -> list[Any]:
        """Move the market, let the venue act on it, and return the events since the last look."""
        if price is not None:
            self.quotes.move(price, mark=mark, symbol=symbol)
        self.now_ms += 1_000
        self.venue.advance(self.now_ms)
        return self.events()

    def events(self) -> list[Any]:
        return self.venue.drain(MAIN)

    def held(self, symbol: str = SYMBOL) -> Decimal | int:
        return sum(
            (one.quantity for key, one in self.account.positions.items() if key[0] == symbol), Decimal(0)
        )


def order_params(side: str, quantity: str, **params: Any) -> dict[str, Any]:
    """A market order unless a price is given; then a GTC limit order."""
    kind = {"type": "LIMIT", "timeInForce": "GTC"} if "price" in params else {"type": "MARKET"}
    base = {"symbol": SYMBOL, "side": side, "quantity": quantity, "newOrderRespType": "RESULT"}
    return _given(base | kind | params)


def stop_params(trigger: str, side: str, **params: Any) -> dict[str, Any]:
    """A closePosition STOP_MARKET on the mark price unless said otherwise; None leaves a parameter out."""
    base = {
        "symbol": SYMBOL,
        "side": side,
        "algoType": "CONDITIONAL",
        "type": "STOP_MARKET",
        "triggerPrice": trigger,
        "workingType": "MARK_PRICE",
        "closePosition": None if "quantity" in params else True,
    }
    return _given(base | params)


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
