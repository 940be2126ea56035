"""Handlers that show or change leverage, margin type, modes and isolated margin."""

from decimal import Decimal

from exchange.sim.trading.call import Call, JsonValue
from exchange.sim.venue.account_desk import MarginChange
from exchange.sim.venue.events import QUOTE_ASSET
from exchange.sim.venue.numerals import cash, plain
from exchange.sim.venue.rejections import Reason, VenueRejection
from exchange.sim.venue.terms import MarginType, PositionSide

_DONE = {"code": 200, "msg": "success"}


def set_leverage(call: Call) -> JsonValue:
    symbol = call.symbol()
    leverage = call.params.integer("leverage")
    cap = call.venue.settings.set_leverage(call.account, symbol, leverage, now_ms=call.now_ms)
    return {"symbol": symbol, "leverage": leverage, "maxNotionalValue": plain(cap)}


def set_margin_type(call: Call) -> JsonValue:
    symbol = call.symbol()
    wanted = call.params.text("marginType")
    if wanted not in tuple(MarginType):
        raise VenueRejection.because(Reason.INVALID_PARAMETER, "marginType")
    call.venue.settings.set_margin_type(call.account, symbol, MarginType(wanted))
    return dict(_DONE)


def position_mode(call: Call) -> JsonValue:
    return {"dualSidePosition": call.account.is_hedged}


def set_position_mode(call: Call) -> JsonValue:
    is_hedged = call.params.required_flag("dualSidePosition")
    call.venue.settings.set_position_mode(call.account, is_hedged=is_hedged)
    return dict(_DONE)


def multi_assets_mode(call: Call) -> JsonValue:
    return {"multiAssetsMargin": call.account.is_multi_assets}


def set_multi_assets_mode(call: Call) -> JsonValue:
    is_on = call.params.required_flag("multiAssetsMargin")
    call.venue.settings.set_multi_assets(call.account, is_on=is_on, now_ms=call.now_ms)
    return dict(_DONE)


def change_position_margin(call: Call) -> JsonValue:
    symbol = call.symbol()
    amount = call.params.decimal("amount")
    kind = call.params.integer("type")
    if kind not in tuple(MarginChange):
        raise VenueRejection.because(Reason.INVALID_PARAMETER, "type")
    position_side = call.params.optional("positionSide") or PositionSide.BOTH
    if position_side not in tuple(PositionSide):
        raise VenueRejection.because(Reason.INVALID_POSITION_SIDE)
    key = (symbol, PositionSide(position_side))
    call.venue.settings.change_position_margin(
        call.account, key, amount, change=MarginChange(kind), now_ms=call.now_ms
    )
    return {
        "amount": float(amount),
        "code": 200,
        "msg": "Successfully modify position margin.",
        "type": kind,
    }


def margin_history(call: Call) -> JsonValue:
    symbol = call.symbol()
    start, end = call.params.window()
    found = [
        {
            "symbol": symbol,
            "type": MarginChange.ADD if amount > 0 else MarginChange.REDUCE,
            "deltaType": "USER_ADJUST",
            "amount": cash(abs(amount)),
            "asset": QUOTE_ASSET,
            "time": at_ms,
            "positionSide": position_side,
        }
        for at_ms, (changed, position_side), amount in call.account.margin_changes
        if changed == symbol and start <= at_ms <= end
    ]
    return found[-call.params.limit(default=500, most=500) :]


def symbol_configuration(call: Call) -> JsonValue:
    symbol = call.optional_symbol()
    rows = []
    for instrument in call.venue.floor.tradable():
        if symbol in (None, instrument.symbol):
            setting = call.account.setting(instrument.symbol)
            rows.append(
                {
                    "symbol": instrument.symbol,
                    "marginType": setting.margin_type,
                    "isAutoAddMargin": False,
                    "leverage": setting.leverage,
                    "maxNotionalValue": plain(instrument.max_notional(setting.leverage)),
                }
            )
    return rows


def leverage_brackets(call: Call) -> JsonValue:
    symbol = call.optional_symbol()
    return [
        {
            "symbol": instrument.symbol,
            "brackets": [
                {
                    "bracket": number,
                    "initialLeverage": one.max_leverage,
                    "notionalCap": _number(one.cap),
                    "notionalFloor": _number(one.floor),
                    "maintMarginRatio": _number(one.maintenance_margin_rate),
                    "cum": _number(one.cum),
                }
                for number, one in enumerate(instrument.brackets, start=1)
            ],
        }
        for instrument in call.venue.floor.tradable()
        if symbol in (None, instrument.symbol)
    ]


def fee_burn(call: Call) -> JsonValue:
    return {"feeBurn": call.account.burns_fees}


def set_fee_burn(call: Call) -> JsonValue:
    """Remember the wish; no BNB is modelled, so fees stay as they are."""
    call.account.burns_fees = call.params.required_flag("feeBurn")
    return dict(_DONE)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
