"""What must hold whatever happens, one small function each, judged by what the exchange itself knows."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.income import Income, IncomeKind
from core.journal import CommandSent, Entry, IntentRecorded, OperatorActed
from core.market import MINUTE_MS
from core.operation import OperatorAction
from core.order_ids import client_order_id, role_of
from core.orders import CloseAtMarket, PlaceConditional, Role, SubmitEntry
from core.positions import Position, PositionPlan, Source
from core.wallet import Wallet
from exchange.sim.market.market import SECOND_MS
from exchange.sim.venue.account import Income as VenueIncome
from exchange.sim.venue.account import Trade
from exchange.sim.venue.conditionals import AlgoStatus, ConditionalOrder
from exchange.sim.venue.orders import Order
from exchange.sim.venue.terms import MarginType, Side
from tests.faults.truth import Truth, is_ours

EXPOSED_SECONDS = 12.0
"""How long a position may lack a live stop while nothing strikes us: five to give up, the rest to close."""

ORPHAN_SECONDS = 12.0
FRESH_MS = 7 * MINUTE_MS
"""Market time between a candle's close and the entry on it: a minute to decide, five to be on the way."""
_MONEY = Decimal("0.0001")
_CANCELLED = re.compile(r"[cC]lient(?:Algo|Order)Id=([^&]*)")


class Violation(AssertionError):
    """An invariant did not hold; the text begins with its name."""


@dataclass(slots=True)
class Ledger:
    """What has been durable so far: plans by the root of their client ids, and every order intended.

    ``has_gaps`` says that the disk was full for a while: what protects or closes left all the same.
    """

    plans: dict[str, PositionPlan] = field(default_factory=dict)
    intended: set[str] = field(default_factory=set)
    has_gaps: bool = False
    takes_no_entries: bool = False
    is_panicking: bool = False

    def committed(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.body, OperatorActed):
                self._obey(entry.body.request.action)
            if isinstance(entry.body, IntentRecorded) and entry.body.plan.source is Source.REAL:
                if self.takes_no_entries:
                    raise Violation(f"I8 {entry.body.plan.position_id} is opened while nothing may be")
                self.plans[root_of_plan(entry.body.plan)] = entry.body.plan
            if isinstance(entry.body, CommandSent):
                command = entry.body.command
                if isinstance(command, SubmitEntry | PlaceConditional | CloseAtMarket):
                    self.intended.add(command.client_order_id)

    def _obey(self, action: OperatorAction) -> None:
        if action is not OperatorAction.CLOSE:
            self.takes_no_entries = action is not OperatorAction.RESUME
            self.is_panicking = action is OperatorAction.PANIC or (
                self.is_panicking and action is not OperatorAction.RESUME
            )


def root_of(order_id: str) -> str:
    """Return the part of a client id that all orders of one position share."""
    return order_id.rpartition("-")[0]


def root_of_plan(plan: PositionPlan) -> str:
    return root_of(client_order_id(plan.position_id, Role.ENTRY, 1))


# --- at every step ----------------------------------------------------------------------------------


def intent_came_first(order: Order | ConditionalOrder, ledger: Ledger) -> None:
    """I7: no order of ours at the exchange without an earlier durable intent."""
    is_planned = root_of(order.client_id) in ledger.plans
    may_be_unwritten = ledger.has_gaps and role_of(order.client_id) is not Role.ENTRY
    if is_planned and (may_be_unwritten or order.client_id in ledger.intended):
        return
    raise Violation(f"I7 {order.client_id} was sent before its intent was durable")


def opened_once(trades: Sequence[Trade], truth: Truth, ledger: Ledger) -> None:
    """I2: what was bought for one signal is at most what its plan wanted."""
    bought: Counter[str] = Counter()
    for trade in trades:
        owner = truth.owner_of_trade(trade)
        if role_of(owner) is Role.ENTRY:
            bought[root_of(owner)] += trade.quantity  # type: ignore[assignment] # Decimals count too
    for root, quantity in bought.items():
        plan = ledger.plans[root]
        if quantity > plan.quantity:
            raise Violation(f"I2 {plan.position_id} bought {quantity}, planned {plan.quantity}")


def never_flips(trade: Trade, before: Decimal, owner: str) -> None:
    """I3: an exit makes a position smaller and never turns it round."""
    if role_of(owner) is Role.ENTRY:
        return
    after = before + trade.side.sign * trade.quantity
    if abs(after) >= abs(before) or after * before < 0:
        raise Violation(f"I3 exit {owner} of {trade.symbol} took {before} to {after}")


def was_prepared(order: Order, truth: Truth, ledger: Ledger, *, most: int) -> None:
    """I8: an entry goes out in isolated margin, at its planned leverage, as one of at most ``most``."""
    if role_of(order.client_id) is not Role.ENTRY:
        return
    plan = ledger.plans[root_of(order.client_id)]
    setting = truth.account.setting(order.symbol)
    if (setting.margin_type, setting.leverage) != (MarginType.ISOLATED, plan.leverage):
        raise Violation(f"I8 {order.client_id} entered {order.symbol} with {setting}")
    held = [symbol for symbol in truth.ours if truth.held(symbol) or symbol == order.symbol]
    if len(held) > most:
        raise Violation(f"I8 {order.client_id} makes {len(held)} positions: {held}")


def entered_while_fresh(order: Order, ledger: Ledger, *, market_ms: int) -> None:
    """I10: no entry on candles that closed long ago, however long the machine has slept since."""
    age = market_ms - ledger.plans[root_of(order.client_id)].candidate.at
    if not 0 <= age <= FRESH_MS:
        raise Violation(f"I10 {order.client_id} entered on candles that closed {age / 1000:.0f} s ago")


def entered_where_free(order: Order, held_for: float, *, patience: float) -> None:
    """I14: nobody enters where something is held already, his own or somebody else's."""
    if held_for > patience:
        raise Violation(f"I14 {order.client_id} entered {order.symbol}, held for {held_for:.0f} s already")


def is_covered(truth: Truth, symbol: str) -> bool:
    """Tell whether live stops would close all that is held."""
    held = truth.held(symbol)
    closing = Side.SELL if held > 0 else Side.BUY
    stops = [
        order.request
        for order in truth.account.open_conditionals.values()
        if order.symbol == symbol
        and order.request.is_stop
        and order.status is AlgoStatus.NEW
        and order.request.side is closing
    ]
    if any(each.close_position for each in stops):
        return True
    return sum((each.quantity for each in stops if each.reduce_only), Decimal(0)) >= abs(held)


def not_banned(now: float, ban_ends: float, what: str) -> None:
    """I9: nobody asks while the exchange has told us to stay away."""
    if now < ban_ends:
        raise Violation(f"I9 {what} {ban_ends - now:.2f} s before a ban was over")


def left_alone(truth: Truth) -> None:
    """I14: on the human's symbol there are only the human's orders."""
    for order in truth.account.orders.values():
        if order.symbol == truth.foreign and is_ours(order.client_id):
            raise Violation(f"I14 {order.client_id} traded {order.symbol}, which is the human's")


def only_ours_cancelled(request: str) -> None:
    """I14: what is cancelled is named, and ours."""
    if "/listenKey" in request:
        return
    named = _CANCELLED.findall(request)
    if not named or not all(is_ours(each) for each in named):
        raise Violation(f"I14 somebody else's order was to be cancelled: {named}")


def kept_secret(text: str, secrets: Iterable[str]) -> None:
    """I12: no key, signature or listen key is said, logged or written."""
    for secret in secrets:
        if secret in text:
            place = text.index(secret)
            raise Violation(f"I12 a secret was told: {text[max(place - 60, 0) : place + 12]}...")


# --- once all is quiet ------------------------------------------------------------------------------


def nothing_left(truth: Truth, positions: Sequence[Position]) -> None:
    """I11: after the storm everything comes to an end: positions, orders, and what we believe of them."""
    held = {symbol: truth.held(symbol) for symbol in truth.symbols if truth.held(symbol)}
    resting = [order.client_id for symbol in truth.symbols for order in truth.resting(symbol)]
    believed = [(position.position_id, str(position.stage)) for position in positions]
    if held or resting or believed:
        raise Violation(f"I11 still held {held}, resting {resting}, believed {believed}")


def same_positions(truth: Truth, positions: Iterable[Position]) -> None:
    """I5: we believe to hold what the exchange says we hold, at its price."""
    believed = {each.symbol: each for each in positions if each.quantity}
    for symbol in truth.symbols:
        held = truth.held(symbol)
        ours = believed[symbol].quantity * believed[symbol].side if symbol in believed else Decimal(0)
        if ours != held:
            raise Violation(f"I5 {symbol}: we believe in {ours}, the exchange in {held}")


def same_money(truth: Truth, positions: Iterable[Position]) -> None:
    """I5: what our records add up to is what the wallet lost or gained by our symbols.

    Left out are symbols in which somebody else holds something too, and those where what somebody else did
    was never heard: there the position says so itself, by what is left of it.
    """
    recorded = [each for each in positions if each.symbol in truth.ours]
    unheard = {each.symbol for each in recorded if each.quantity} & truth.meddled
    known = set(truth.ours) - unheard
    booked = sum((each.net_pnl for each in recorded if each.symbol in known), Decimal(0))
    paid = sum((each.amount for each in truth.account.incomes if each.symbol in known), Decimal(0))
    if abs(booked - paid) > _MONEY:
        raise Violation(f"I5 our records say {booked:.6f}, the wallet {paid:.6f}")


def every_trade_once(truth: Truth, positions: Iterable[Position]) -> None:
    """I6: every execution of our orders is in our records, exactly once.

    Where somebody else holds the same symbol, a close that is sent again may reduce what is his: people are
    told of that execution, and it is nobody's record.
    """
    recorded = Counter((each.symbol, fill.trade_id) for each in positions for fill in each.fills)
    executed = {
        (trade.symbol, str(trade.trade_id)): truth.owner_of_trade(trade)
        for trade in truth.account.trades
        if is_ours(truth.owner_of_trade(trade)) and trade.symbol in truth.ours
    }
    missing = {trade: owner for trade, owner in executed.items() if trade not in recorded}
    if missing:
        raise Violation(f"I6 not in the journal: {missing}")
    twice = {trade: count for trade, count in recorded.items() if count > 1}
    if twice:
        raise Violation(f"I6 more than once in the journal: {twice}")
    happened = {(trade.symbol, str(trade.trade_id)) for trade in truth.account.trades}
    invented = [trade for trade in recorded if trade not in happened]
    if invented:
        raise Violation(f"I6 in the journal but not at the exchange: {invented}")


def every_income_once(truth: Truth, booked: Sequence[Income], wallet: Wallet) -> None:
    """I5, I6: every change of the wallet is on record under the exchange's id, and they make the wallet.

    What made the wallet before it was first read is what the account began with. Where the exchange's own
    lists had holes for long, what they hid may be on record as unexplained; the sum is right all the same.

    What happened in the second of the last read, but after it, bears an earlier time than the read, for the
    simulator's time goes by whole seconds: the next read books it. Until then it must not have been counted,
    and the sum proves that the balance is without it.
    """
    recorded = {each.income_id: each for each in booked if each.kind is not IncomeKind.UNEXPLAINED}
    happened = {_id_of(each): each for each in truth.account.incomes}
    if invented := sorted(recorded.keys() - happened.keys()):
        raise Violation(f"I6 booked, but not at the exchange: {invented}")
    if twice := [name for name, count in Counter(each.income_id for each in booked).items() if count > 1]:
        raise Violation(f"I6 booked more than once: {twice}")
    first = min((each.at for each in recorded.values()), default=wallet.at)
    outstanding = {
        name: each.amount
        for name, each in happened.items()
        if each.at_ms >= wallet.asks_since and name not in wallet.counted
    }
    missing = [
        name
        for name, each in happened.items()
        if first < each.at_ms <= wallet.at
        and name not in recorded
        and not (name in outstanding and each.at_ms > wallet.at - SECOND_MS)
        and abs(each.amount) >= _MONEY
    ]
    if missing:
        raise Violation(f"I6 not booked: {missing}")
    later = sum(outstanding.values(), Decimal(0))
    if wallet.balance is not None and abs(wallet.balance + later - truth.account.wallet) > _MONEY:
        raise Violation(
            f"I5 the wallet is {truth.account.wallet}, our records make it {wallet.balance + later}"
        )


def _id_of(income: VenueIncome) -> str:
    trade_id = "" if income.trade_id is None else income.trade_id
    return f"{income.kind}:{income.income_id}:{income.symbol}:{trade_id}".rstrip(":")


def every_row_logged(logged: Collection[str], positions: Iterable[Position]) -> None:
    """I13: what the trade log could not take for a while, it has in the end."""
    missing = [each.position_id for each in positions if each.fills and each.position_id not in logged]
    if missing:
        raise Violation(f"I13 the trade log has never got {missing}")


def every_intent_ended(ledger: Ledger, ended: Iterable[Position]) -> None:
    """I6: every intent came to an end that is on record."""
    roots = {root_of_plan(each.plan) for each in ended}
    open_ended = [plan.position_id for root, plan in ledger.plans.items() if root not in roots]
    if open_ended:
        raise Violation(f"I6 intents without an end: {open_ended}")
