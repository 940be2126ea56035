"""The market as the venue reads it: by symbol, in Decimals."""

from collections.abc import Sequence
from decimal import Decimal

from exchange.sim.market.book import Book
from exchange.sim.market.funding import FundingSchedule
from exchange.sim.market.market import Market
from exchange.sim.venue.quotes import Level
from exchange.sim.venue.terms import Side

_EIGHT = Decimal("0.00000001")


class MarketQuotes:
    """Implements the venue's ``Quotes`` over a market; unknown symbols raise ``KeyError``."""

    def __init__(self, market: Market, book: Book, funding: FundingSchedule) -> None:
        self._market = market
        self._book = book
        self._funding = funding
        self._decimals = [int(each) for each in market.scales.price_decimals]
        self._places = [int(each) for each in market.scales.volume_decimals]

    def last(self, symbol: str) -> Decimal:
        index = self._market.index_of[symbol]
        return self._price(index, int(self._market.last[index]))

    def mark(self, symbol: str) -> Decimal:
        index = self._market.index_of[symbol]
        points = Decimal(float(self._market.mark[index]))
        return points.scaleb(-self._decimals[index]).quantize(_EIGHT)

    def index(self, symbol: str) -> Decimal:
        """Return the spot index: below the mark by the funding rate, the premium that longs pay for."""
        return (self.mark(symbol) / (1 + self.funding_rate(symbol))).quantize(_EIGHT)

    def best_bid(self, symbol: str) -> Decimal:
        index = self._market.index_of[symbol]
        return self._price(index, int(self._book.best()[0][index]))

    def best_ask(self, symbol: str) -> Decimal:
        index = self._market.index_of[symbol]
        return self._price(index, int(self._book.best()[1][index]))

    def book(self, symbol: str, side: Side) -> Sequence[Level]:
        index = self._market.index_of[symbol]
        prices, quantities = self._book.levels(index, asks=side is Side.BUY)
        place = -self._places[index]
        return [
            (self._price(index, price), Decimal(quantity).scaleb(place))
            for price, quantity in zip(prices.tolist(), quantities.tolist(), strict=True)
        ]

    def funding_rate(self, symbol: str) -> Decimal:
        index = self._market.index_of[symbol]
        rate = float(self._funding.next_rates(self._market.now_ms)[index])
        return Decimal(f"{rate:.8f}")

    def next_funding_ms(self, symbol: str) -> int:
        return int(self._funding.next_times(self._market.now_ms)[self._market.index_of[symbol]])

    def _price(self, index: int, points: int) -> Decimal:
        return Decimal(points).scaleb(-self._decimals[index])
