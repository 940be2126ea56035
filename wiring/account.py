"""Whose money a run trades with: an account at the exchange, one that may only be watched, or paper."""

from collections.abc import Callable
from dataclasses import dataclass

from core.orders import Report
from core.ports import Exchange, Execution
from core.positions import Source
from core.settings import Mode, Settings
from exchange.paper import PaperExchange
from exchange.paper_account import PaperAccount, PublicContracts
from exchange.sim.universe import load_universe
from services.execution import ExecutionService
from services.session import Drainable
from services.watching import WatchOnly
from wiring.place import Place
from wiring.records import Records
from wiring.trader import PAPER_DEPOSIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account and the way orders get there; ``paper`` where closed candles make it."""

    exchange: Exchange
    execution: Execution
    carrier: Drainable | None = None
    paper: PaperExchange | None = None


async def account_of(
    settings: Settings, place: Place, records: Records, *, post: Callable[[Report], None]
) -> Account:
    """Open the account of the settings' mode at this place."""
    if settings.mode is Mode.PAPER:
        return await _on_paper(place, records)
    exchange = place.connection.exchange
    carrier = ExecutionService(exchange, post=post, clock=place.clock)
    execution = carrier if settings.may_trade else WatchOnly(carrier, clock=place.clock)
    return Account(exchange=exchange, execution=execution, carrier=carrier)


async def _on_paper(place: Place, records: Records) -> Account:
    """Take up the paper money that earlier runs left, as the journal tells it."""
    contracts = paper_contracts(place)
    with records.journal.reader() as reader:
        earned = reader.net_pnl(Source.REAL)
    paper = PaperExchange(await contracts.instruments(), deposit=PAPER_DEPOSIT + earned)
    exchange = PaperAccount(paper, contracts, marks=place.glance.marks, at=place.glance.at)
    return Account(exchange=exchange, execution=paper, paper=paper)


def paper_contracts(place: Place) -> PublicContracts:
    """Return the exchange's contracts with the brackets that the simulator has on record."""
    brackets = {each.symbol: each.contract.brackets for each in load_universe()}
    return PublicContracts(place.connection.exchange, brackets)
