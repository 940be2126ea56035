"""Factors, gates and refusals in short English for the terminal, by the keys of the chat's catalogues."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.signals import Factor

if TYPE_CHECKING:  # whoever prints a refusal should not wait for the compiler that strategies import
    from strategies.ict_smc.explanation import Gate

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "factor.structure": "structure",
        "factor.order_block": "order block",
        "factor.liquidity": "liquidity",
        "factor.trend": "trend",
        "factor.macd": "MACD",
        "factor.ema": "EMA 9/21",
        "factor.volume": "volume",
        "factor.premium": "premium/discount",
        "why.structure": "MSB ×{msb_strength:.1f}, structure agrees {structure_agreement:.0%}",
        "why.order_block": "block ×{block_displacement:.1f} displaced, touch {block_visits:.0f},"
        " {block_height_atr:.1f} ATR high",
        "why.liquidity": "sweep {sweep_age:.0f} bars ago (240: none) {sweep_depth_atr:.2f} ATR deep,"
        " room {room_r:.1f} R",
        "why.trend": "{trend_distance_atr:+.1f} ATR beyond EMA200, slope {trend_slope_atr:+.3f}",
        "why.macd": "MACD {macd_15m_atr:+.2f} ATR on 15m",
        "why.ema": "EMA 9/21 {ema_gap_15m_atr:+.2f} ATR on 15m",
        "why.volume": "volume above {volume_rank:.0%} of bars",
        "why.premium": "at {range_position:.0%} of the range, 0% is cheapest",
        "reason.halted": "trading is halted",
        "reason.mode_does_not_trade": "mode does not trade",
        "reason.data_stale": "data is stale",
        "reason.data_gapped": "data has gaps",
        "reason.equity_stale": "equity is stale",
        "reason.breaker_open": "circuit breaker is open",
        "reason.day_loss": "day's loss limit",
        "reason.drawdown": "drawdown limit",
        "reason.second_bot": "another trader uses the account: stop one of the two, then resume",
        "reason.journal_failed": "journal can not be written",
        "reason.journal_damaged": "records of the journal are missing",
        "reason.paused": "paused by a person",
        "reason.panic": "panic was pressed",
        "reason.hedge_mode": "account in hedge mode",
        "reason.multi_assets": "account in multi-assets mode",
        "reason.can_not_trade": "exchange lets the account not trade",
        "reason.not_allowed": "exchange takes no order of ours",
        "reason.self_test": "rehearsal of the stops failed",
        "reason.crash_loop": "several runs ended badly: read the log, then resume",
        "reason.another_market": "another market answers here: end this run",
        "reason.too_many_entries": "too many entries",
        "reason.cooldown": "cooling down after a stop",
        "reason.stops_in_a_row": "pause after several stops",
        "reason.total_margin": "total margin limit",
        "reason.gross_notional": "gross notional limit",
        "reason.correlated": "correlated with what is held",
        "reason.spread": "spread",
        "reason.volume": "24 h volume",
        "reason.trigger_protect": "trigger protection",
        "reason.not_in_universe": "kind of contract",
        "reason.blacklisted": "blacklisted",
        "reason.symbol_held": "symbol is held",
        "reason.foreign_position": "a position that is not ours",
        "reason.pool_too_near": "no room to the opposite pool",
        "reason.stop_too_far": "stop too far away",
        "reason.geometry": "stop and target do not fit",
        "reason.price_too_coarse": "tick too coarse for the stop",
        "reason.brackets_unknown": "brackets unknown",
        "reason.bracket": "bracket too small",
        "reason.liquidation_near": "liquidation too near the stop",
        "reason.loss_too_large": "loss at the stop too large",
        "reason.below_minimum": "below the minimum order",
        "reason.available_balance": "not enough available",
        "reason.expected_net_r": "expected value too low",
        "reason.no_room": "no slot free",
    }
)
"""The same keys as tables ``factor``, ``why`` and ``reason`` of ``bot/texts``; a test holds them equal."""

GATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "readiness": (
            "history",
            "{bars_1m:.0f} whole 1m bars (needs {min_bars_1m:.0f}),"
            " {bars_15m:.0f} 15m bars (needs {min_bars_15m:.0f})",
        ),
        "trend": (
            "15m trend",
            "{trend_distance_atr:+.2f} ATR beyond EMA200, needs more than {trend_min_atr:g}",
        ),
        "structure": (
            "structure",
            "needs an MSB on this side {msb_agrees:.0f} (×{msb_strength:.1f}), or three times +1:"
            " 15m bias {bias_15m:+.0f}, 1m bias {bias_1m:+.0f}, CHoCH {choch_1m:+.0f}",
        ),
        "block": (
            "validated block",
            "state {state:.0f} (needs 1 fresh or 2 touched, no earlier return), {block_age:.0f} bars old,"
            " displaced ×{block_displacement:.1f}",
        ),
        "retest": (
            "first return",
            "needs this candle to be the first back in {block_low:.8g}–{block_high:.8g}",
        ),
        "location": (
            "location",
            "at {range_position:.0%} of the swing range, needs at most {discount_limit:.0%}; or a sweep"
            " {sweep_age:.0f} bars ago, needs at most {sweep_max_age:.0f}",
        ),
        "trigger": ("trigger", "close {close:.8g}, needs to hold the block's middle {block_middle:.8g}"),
        "stop": ("stop", "{stop_distance:.2%} away, needs at most {max_stop_distance:.0%}"),
        "room": ("room", "{room_r:.1f} R to the opposite pool (10: free), needs {min_room:g}"),
        "confidence": (
            "confidence",
            "{confidence:.1f}, needs {threshold:.0f} (factors add up to {points:.1f})",
        ),
        "spread": ("spread", "{spread:.3%}, needs at most {max_spread:.2%}"),
        "volume": ("24 h volume", "{quote_volume_24h:,.0f} USDT, needs {min_quote_volume_24h:,.0f}"),
        "trigger_protect": (
            "trigger protection",
            "{trigger_protect:.2%}, needs {min_trigger_protect:.2%}",
        ),
        "not_in_universe": ("universe", "a USDT perpetual in trading"),
    }
)
"""What each gate is called, and its numbers in words."""

NO_BLOCK = "no validated block"


def factor_text(factor: Factor) -> str:
    """Say what a factor was graded on."""
    if not factor.numbers:
        return NO_BLOCK
    return TEXTS[factor.reason].format(**dict(factor.numbers))


def strongest(factors: Iterable[Factor], count: int) -> list[Factor]:
    """Return the factors that add most."""
    return sorted(factors, key=lambda factor: -factor.points)[:count]


def gate_name(name: str) -> str:
    return GATES[name][0]


def gate_text(gate: "Gate") -> str:
    """Say what a gate was judged on."""
    numbers = dict(gate.numbers)
    if numbers.get("known") == 0:
        return NO_BLOCK
    return GATES[gate.name][1].format(**numbers)


ALERTS: Mapping[str, str] = MappingProxyType(
    {
        "risk_halted": "no new entries",
        "risk_resumed": "entries are taken again",
        "panic_begun": "panic, every real position is being closed at market",
        "paused": "paused by a person, no new entries until somebody resumes",
        "paused_until": "paused by a person, entries are taken again at",
        "stops_pause": "several stops in a short time, entries pause",
        "drawdown_alert": "drawdown beyond the warning line",
        "second_bot": "another trader uses the account, stop one of the two, then resume",
        "another_market": "another market answers where ours was, end this run and give the new one"
        " an account of its own by PERPSCOUT_ACCOUNT",
        "nothing_held": "nothing is held of it, there was nothing to close",
        "wish_unknown": "a wish was not understood, and nothing was done",
        "wish_too_old": "a wish from before the start is not obeyed, leave it again if it still counts",
        "pause_endless": "a pause without a sensible end lasts until somebody resumes",
        "entry_failed": "an entry failed, nothing is held",
        "taken_up": "taken up from an earlier run, with its stop at",
        "taken_up_bare": "taken up from an earlier run WITHOUT A STOP, protected or closed at once",
        "followed_on": "positions on paper from an earlier run, followed on",
        "never_protected": "no stop could be confirmed in time, closed at market",
        "account_unreadable": "the account can not be read",
        "streams_silent": "streams are silent, these candles come late and take no entries",
        "streams_back": "all candles come by stream again",
        "candles_unwritten": "candles not written to the disk, trading goes on and the next start fetches"
        " them, see to the room and the rights where the run writes",
        "set_aside": "no candles to be had, left out for a while",
        "set_aside_held": "no candles of a contract that is held, only its stop looks after it",
        "foreign_fill": "a fill that is not ours",
        "foreign_position": "a position that is not ours",
        "foreign_order": "an order that is not ours",
        "not_allowed": "no order of ours is taken, look at key, account and position mode, then resume",
        "restart_needed": "the program ends to be started again, stops rest at the exchange",
        "companion_failed": "something beside the trading has failed, trading goes on",
        "companion_silent": "something beside the trading does not go on, trading does",
        "self_test": "no entries, a rehearsed stop was not taken",
        "stops_not_beside": "no stop rests beside the first, tightened ones are watched by the program",
        "key_unbound": "THE API KEY WORKS FROM ANY ADDRESS, bind it to yours at the exchange",
        "key_unexamined": "what the API key may do can not be asked here",
        "contracts_listed": "new contracts, followed from now on",
        "contract_leaving": "the contract leaves, no entries and positions are closed",
        "watching_only": "live orders are not switched on, this run only watches",
    }
)
"""Alerts whose key says too little."""


NEVER_HELD: Mapping[str, str] = MappingProxyType(
    {
        "entry_rejected": "the exchange refused the order",
        "not_prepared": "leverage and margin were not set as planned while the signal was fresh",
        "not_placed": "the order was not sent, or the exchange does not know it",
        "not_filled": "the order ended without a fill",
    }
)
"""Why an entry came to nothing."""


def alert_text(key: str) -> str:
    """Say what an alert is about; one that nobody has worded is shown by its key."""
    return ALERTS.get(key, key.replace("_", " "))


def detail_text(detail: str) -> str:
    """Say what an alert adds: a key in words, and what is in words already as it is."""
    if detail in NEVER_HELD:
        return NEVER_HELD[detail]
    return refusal_text(detail) if detail.replace("_", "").islower() and " " not in detail else detail


def refusal_text(reason: str) -> str:
    """Say why a signal was not entered; a reason nobody has worded is shown as it is."""
    return TEXTS.get(f"reason.{reason}", reason.replace("_", " "))
