"""Events of the /market route that speak of one thing that happened: a liquidation, a listing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from core.instruments import Instrument, LeverageBracket
from exchange.sim.server.exchange_info import shown_delivery_ms


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """``channel`` is the stream's, ``symbol`` whose stream it is."""

    channel: str
    symbol: str
    payload: bytes


def of(event: Mapping[str, Any]) -> PublicEvent | None:
    """Return what everybody hears of one account's event: of a liquidation its order, else nothing.

    Auto-deleveraging is not told to others, as far as Binance's page says.
    """
    if event["e"] != "ORDER_TRADE_UPDATE":
        return None
    order = event["o"]
    if order["x"] != "CALCULATED" or not order["c"].startswith("autoclose-"):
        return None
    told = {key: order[key] for key in ("s", "S", "o", "f", "q", "p", "ap", "X", "l", "z", "T")}
    payload = msgspec.json.encode({"e": "forceOrder", "E": event["E"], "o": told})
    return PublicEvent("forceOrder", order["s"], payload)


def contract_info(contract: Instrument, *, now_ms: int) -> PublicEvent:
    """Return !contractInfo: a contract was listed, settles, is gone, or has another date of delivery."""
    event = {
        "e": "contractInfo",
        "E": now_ms,
        "s": contract.symbol,
        "ps": contract.symbol,
        "ct": contract.contract_type,
        "dt": shown_delivery_ms(contract, now_ms),
        "ot": contract.onboard_ms,
        "cs": contract.status.value,
        "bks": [_bracket(number, each) for number, each in enumerate(contract.brackets, start=1)],
    }
    return PublicEvent("contractInfo", contract.symbol, msgspec.json.encode(event))


def _bracket(number: int, bracket: LeverageBracket) -> dict[str, float]:
    return {
        "bs": number,
        "bnf": float(bracket.floor),
        "bnc": float(bracket.cap),
        "mmr": float(bracket.maintenance_margin_rate),
        "cf": float(bracket.cum),
        "mi": 1,
        "ma": bracket.max_leverage,
    }
