"""Every way the venue says no, with Binance's own code and sentence."""

from enum import Enum


class Reason(Enum):
    """A code and its sentence; ``{}`` is filled in by ``VenueRejection.because``."""

    START_AFTER_END = -1023, "Start time is greater than end time."
    ILLEGAL_CHARACTERS = -1100, "Illegal characters found in parameter '{}'; legal range is '{}'."
    MANDATORY_PARAMETER = -1102, "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
    EITHER_PARAMETER = -1102, "Param '{}' or '{}' must be sent, but both were empty/null!"
    EMPTY_PARAMETER = -1105, "Parameter '{}' was empty."
    PARAMETER_NOT_REQUIRED = -1106, "Parameter '{}' sent when not required."
    PRECISION = -1111, "Precision is over the maximum defined for this asset."
    INVALID_TIME_IN_FORCE = -1115, "Invalid timeInForce."
    INVALID_ORDER_TYPE = -1116, "Invalid orderType."
    INVALID_SIDE = -1117, "Invalid side."
    INVALID_SYMBOL = -1121, "Invalid symbol."
    INVALID_PARAMETER = -1130, "Data sent for parameter '{}' is not valid."
    INVALID_RESPONSE_TYPE = -1136, "Invalid newOrderRespType."
    UNKNOWN_ORDER = -2011, "Unknown order sent."
    NO_SUCH_ORDER = -2013, "Order does not exist."
    MARGIN_INSUFFICIENT = -2019, "Margin is insufficient."
    WOULD_TRIGGER = -2021, "Order would immediately trigger."
    REDUCE_ONLY_REJECTED = -2022, "ReduceOnly Order is rejected."
    TOO_MANY_OPEN_ORDERS = -2025, "Reach max open order limit."
    POSITION_CAP = -2027, "Exceeded the maximum allowable position at current leverage."
    LEVERAGE_TOO_SMALL = -2028, "Leverage is smaller than permitted: insufficient margin balance."
    PRICE_NOT_POSITIVE = -4001, "Price less than 0."
    QUANTITY_NOT_POSITIVE = -4003, "Quantity less than or equal to zero."
    QUANTITY_BELOW_MINIMUM = -4004, "Quantity less than min quantity."
    QUANTITY_ABOVE_MAXIMUM = -4005, "Quantity greater than max quantity."
    STOP_PRICE_NOT_POSITIVE = -4006, "Stop price less than zero."
    PRICE_OFF_TICK = -4014, "Price not increased by tick size."
    CLIENT_ID_TOO_LONG = -4015, "Client order id length should not be more than 36 chars"
    PRICE_ABOVE_CAP = -4016, "Limit price can't be higher than {}."
    QUANTITY_OFF_STEP = -4023, "Quantity not increased by step size."
    PRICE_BELOW_FLOOR = -4024, "Limit price can't be lower than {}."
    INVALID_LEVERAGE = -4028, "Leverage {} is not valid"
    INVALID_WORKING_TYPE = -4031, "Invalid parameter working type: {}"
    TOO_MANY_CANCELS = -4032, "Exceed maximum cancel order size."
    TOO_MANY_STOP_ORDERS = -4045, "Reach max stop order limit."
    SAME_MARGIN_TYPE = -4046, "No need to change margin type."
    MARGIN_TYPE_HAS_ORDERS = -4047, "Margin type cannot be changed if there exists open orders."
    MARGIN_TYPE_HAS_POSITION = -4048, "Margin type cannot be changed if there exists position."
    MARGIN_NOT_ISOLATED = -4049, "Add margin only support for isolated position."
    CROSS_BALANCE_INSUFFICIENT = -4050, "Cross balance insufficient."
    ISOLATED_BALANCE_INSUFFICIENT = -4051, "Isolated balance insufficient."
    MARGIN_WITHOUT_POSITION = -4054, "Cannot add position margin: position is 0."
    AMOUNT_NOT_POSITIVE = -4055, "Amount must be positive."
    SAME_POSITION_MODE = -4059, "No need to change position side."
    INVALID_POSITION_SIDE = -4060, "Invalid position side."
    POSITION_SIDE_MISMATCH = -4061, "Order's position side does not match user's setting."
    POSITION_MODE_HAS_ORDERS = -4067, "Position side cannot be changed if there exists open orders."
    POSITION_MODE_HAS_POSITION = -4068, "Position side cannot be changed if there exists position."
    BATCH_SIZE = -4082, "Invalid number of batch place orders"
    DUPLICATE_CLIENT_ID = -4116, "ClientOrderId is duplicated."
    REDUCE_ONLY_CONFLICT = (
        -4118,
        "ReduceOnly Order Failed. Please check your existing position and open orders",
    )
    USE_ALGO_ENDPOINT = (
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    )
    DUPLICATE_CLOSE_POSITION = (
        -4130,
        "An open stop or take profit order with GTE and closePosition in the direction is existing.",
    )
    COUNTERPARTY_PRICE = -4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit"
    CLOSE_POSITION_TYPE = -4136, "Target strategy invalid for orderType {},closePosition true"
    CLOSE_POSITION_QUANTITY = -4137, "Quantity must be zero with closePosition equals true"
    SYMBOL_NOT_OPENING = -4140, "Invalid symbol status for opening position."
    SYMBOL_CLOSED = -4141, "Symbol is closed."
    LEVERAGE_REDUCTION = (
        -4161,
        "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
    )
    MIN_NOTIONAL = -4164, "Order's notional must be no smaller than {} (unless you choose reduce only)."
    WINDOW_TOO_LONG = -4165, "Invalid time interval"
    WINDOW_TOO_OLD = -4166, "Search window is restricted to recent 90 days only."
    MULTI_ASSETS_ISOLATED_SYMBOLS = (
        -4167,
        "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated-margin mode.",
    )
    ISOLATED_UNDER_MULTI_ASSETS = (
        -4168,
        "Unable to adjust to isolated-margin mode under the Multi-Assets mode.",
    )
    MULTI_ASSETS_OPEN_ORDERS = (
        -4170,
        "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures",
    )
    SAME_MULTI_ASSETS_MODE = (
        -4171,
        "Adjusted asset mode is currently set and does not need to be adjusted repeatedly",
    )
    STOP_LIMIT_ABOVE_CAP = -4183, "Limit price can't be higher than {}."
    STOP_LIMIT_BELOW_FLOOR = -4184, "Limit price can't be lower than {}."
    GTE_WITHOUT_POSITION = (
        -4509,
        "Time in Force (TIF) GTE can only be used with open positions or open orders. "
        "Please ensure that positions are available.",
    )
    FOK_NOT_FILLED = (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected.",
    )
    POST_ONLY_WOULD_TAKE = (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    )
    AMEND_SYMBOL_STATUS = -5024, "Symbol is not in trading status. Order amendment is not permitted."
    AMEND_ONLY_LIMIT = -5025, "Only limit order is supported."
    AMEND_LIMIT = -5026, "Exceed maximum modify order limit."
    AMEND_SAME = -5027, "No need to modify the order."
    INVALID_PRICE_MATCH = -5037, "Invalid price match"
    PRICE_MATCH_TYPE = -5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT"
    INVALID_SELF_TRADE_PREVENTION = -5039, "Invalid self trade prevention mode"
    GOOD_TILL_DATE = (
        -5040,
        "The goodTillDate timestamp must be greater than the current time plus 600 seconds "
        "and smaller than 253402300799000",
    )
    NO_DEPTH_FOR_PRICE_MATCH = -5041, "No depth matches this BBO order"


class VenueRejection(Exception):
    """A refusal as it goes over the wire."""

    def __init__(self, code: int, message: str, http_status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status

    @classmethod
    def because(cls, reason: Reason, *facts: object) -> "VenueRejection":
        code, sentence = reason.value
        return cls(code, sentence.format(*facts))
