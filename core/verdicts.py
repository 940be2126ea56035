"""Why a trade is not made: a refusal is a value, and its reasons are message keys."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Every reason to refuse an entry, the gravest first: the first of several is what people are told."""

    HALTED = "halted"
    MODE_DOES_NOT_TRADE = "mode_does_not_trade"
    DATA_STALE = "data_stale"
    DATA_GAPPED = "data_gapped"
    EQUITY_STALE = "equity_stale"
    BREAKER_OPEN = "breaker_open"
    DAY_LOSS = "day_loss"
    DRAWDOWN = "drawdown"
    TOO_MANY_ENTRIES = "too_many_entries"
    COOLDOWN = "cooldown"
    STOPS_IN_A_ROW = "stops_in_a_row"
    TOTAL_MARGIN = "total_margin"
    GROSS_NOTIONAL = "gross_notional"
    CORRELATED = "correlated"
    SPREAD = "spread"
    VOLUME = "volume"
    TRIGGER_PROTECT = "trigger_protect"
    NOT_IN_UNIVERSE = "not_in_universe"
    BLACKLISTED = "blacklisted"
    SYMBOL_HELD = "symbol_held"
    FOREIGN_POSITION = "foreign_position"
    GEOMETRY = "geometry"
    PRICE_TOO_COARSE = "price_too_coarse"
    BRACKETS_UNKNOWN = "brackets_unknown"
    BRACKET = "bracket"
    LIQUIDATION_NEAR = "liquidation_near"
    LOSS_TOO_LARGE = "loss_too_large"
    BELOW_MINIMUM = "below_minimum"
    AVAILABLE_BALANCE = "available_balance"
    EXPECTED_NET_R = "expected_net_r"
    NO_ROOM = "no_room"


# What speaks against these is the account, not the signal: slots, entries, margin, risk are used up. Read as
# the slots alone, "lack of room" would let no virtual position open once the day's first entries are spent.
_REAL_MONEY_ONLY = frozenset(
    {
        Reason.NO_ROOM,
        Reason.TOO_MANY_ENTRIES,
        Reason.STOPS_IN_A_ROW,
        Reason.DAY_LOSS,
        Reason.TOTAL_MARGIN,
        Reason.GROSS_NOTIONAL,
        Reason.CORRELATED,
        Reason.AVAILABLE_BALANCE,
        Reason.COOLDOWN,
        Reason.EXPECTED_NET_R,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No, with every reason there is, each once, in the order of ``Reason``."""

    reasons: tuple[Reason, ...]

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a refusal needs a reason")

    @property
    def reason(self) -> Reason:
        """The reason to report."""
        return self.reasons[0]

    @property
    def may_be_virtual(self) -> bool:
        """Whether only real money is kept out: the account has no room, or wants no such trade for now."""
        return _REAL_MONEY_ONLY.issuperset(self.reasons)


def in_order(reasons: set[Reason]) -> tuple[Reason, ...]:
    """Sort reasons as ``Reason`` lists them."""
    return tuple(reason for reason in Reason if reason in reasons)
