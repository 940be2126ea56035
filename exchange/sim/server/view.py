"""The market as clients get to see it: a book, a schedule of funding, and their wording."""

from dataclasses import dataclass

import numpy as np

from core.market import MINUTE_MS
from exchange.sim.market.book import Book
from exchange.sim.market.funding import FundingSchedule
from exchange.sim.market.market import Market
from exchange.sim.server.depths import Depths
from exchange.sim.server.payloads import Payloads


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of one market; REST and streams share it, so that they tell the same."""

    book: Book
    funding: FundingSchedule
    payloads: Payloads
    depths: Depths

    @classmethod
    def of(cls, market: Market, *, seed: int) -> "View":
        volumes = np.array([each.daily_quote_volume for each in market.instruments])
        book, funding = Book(market), FundingSchedule(volumes, seed=seed)
        payloads = Payloads(market, book, funding)
        payloads.kline_rows(0, market.bars(0, MINUTE_MS))  # compiles before anybody waits
        return cls(book, funding, payloads, Depths(market, payloads))
