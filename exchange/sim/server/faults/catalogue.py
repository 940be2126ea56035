"""The faults that can be switched on, by the name they are asked for."""

from enum import StrEnum


class RestFault(StrEnum):
    """Happens to one REST call. "Executed" calls have their effect; the others never reach the venue.

    Faults marked † are executed unless their rule says otherwise.
    """

    LOSE_REQUEST = "lose_request"  # cut before execution
    LOSE_REPLY = "lose_reply"  # cut after execution
    LATE_REPLY = "late_reply"  # answered after the rule's seconds
    UNKNOWN_503 = "unknown_503"  # † "Unknown error": nobody knows
    UNAVAILABLE_503 = "unavailable_503"  # "Service Unavailable": it failed
    GATEWAY_HTML = "gateway_html"  # † 502 with a page instead of JSON
    ERROR_1000 = "error_1000"  # †
    ERROR_1001 = "error_1001"  # †
    ERROR_1006 = "error_1006"  # †
    ERROR_1007 = "error_1007"  # †
    OVERLOADED_1008 = "overloaded_1008"  # it failed
    CLOCK_SKEW = "clock_skew"  # -1021
    KEY_REVOKED = "key_revoked"  # -2015
    TOO_MANY_REQUESTS = "too_many_requests"  # 429 with Retry-After of the rule's seconds
    BAN = "ban"  # 418, for this and the following calls; longer each time
    FIREWALL_403 = "firewall_403"  # a page
    NOT_FOUND_YET = "not_found_yet"  # -2013 for an order that exists
    REFUSED = "refused"  # the rule's code
    SETTING_IGNORED = "setting_ignored"  # leverage or margin type: said to be set, is not
    FIELD_MISSING = "field_missing"  # 200, one field fewer
    FIELD_NULL = "field_null"  # 200, one field null
    FIELD_RENAMED = "field_renamed"  # 200, one field under another name
    PARTIAL_PAGE = "partial_page"  # 200, half of the list
    ROW_MISSING = "row_missing"  # 200, a list with a hole
    ROW_TWICE = "row_twice"  # 200, a list that repeats itself
    ROWS_UNSORTED = "rows_unsorted"  # 200, the newest first


class StreamFault(StrEnum):
    """Happens to one user-data event, or to the sockets when it would have been sent."""

    EVENT_MISSING = "event_missing"
    EVENT_TWICE = "event_twice"
    EVENT_LATE = "event_late"  # by the rule's seconds
    EVENTS_SWAPPED = "events_swapped"  # comes after the next one
    EVENT_AGAIN = "event_again"  # an event from before is repeated after it
    EVENT_MALFORMED = "event_malformed"  # cut off in the middle
    EVENT_NOT_TEXT = "event_not_text"  # bytes that are no UTF-8
    EVENT_HUGE = "event_huge"  # a megabyte of it
    EVENT_FOREIGN = "event_foreign"  # about a symbol nobody knows
    LISTEN_KEY_EXPIRED = "listen_key_expired"


class MarketFault(StrEnum):
    """Happens to one closed candle of one symbol on its way to the streams."""

    CANDLE_MISSING = "candle_missing"
    CANDLE_TWICE = "candle_twice"
    CANDLE_LATE = "candle_late"  # by the rule's seconds
    SYMBOL_SILENT = "symbol_silent"  # no candle at all, closed or not, for the rule's seconds
    CANDLE_REVISED = "candle_revised"  # closes a second time, elsewhere
    CANDLE_MALFORMED = "candle_malformed"  # cut off in the middle
    CANDLE_ZERO = "candle_zero"  # prices of 0
    CANDLE_NAN = "candle_nan"  # prices "NaN"
    CANDLE_NEGATIVE = "candle_negative"
    CANDLE_CROSSED = "candle_crossed"  # its high below its low


class MinuteFault(StrEnum):
    """Happens to the exchange as a market minute closes."""

    PRICE_SPIKE = "price_spike"  # the next minute trades 10 % away for a second
    FILTERS_CHANGED = "filters_changed"  # tick, step and minimum notional ten times as large
    TRIGGERS_STUCK = "triggers_stuck"  # conditional orders stay TRIGGERING for the rule's seconds
    CONDITIONAL_CANCELLED = "conditional_cancelled"  # an open conditional order, by nobody we know
    HEDGE_SWITCHED = "hedge_switched"  # the account's position mode, by a human
    MULTI_ASSETS_SWITCHED = "multi_assets_switched"  # the account's asset mode, by a human
    DELISTED = "delisted"  # a held symbol (or any) is to be settled in ten market minutes
    MANUAL_TRADE = "manual_trade"  # a human halves a position
    DELEVERAGED = "deleveraged"  # half of a position, by ADL
    STREAMS_CUT = "streams_cut"  # every socket is disconnected
    STREAMS_SILENT = "streams_silent"  # every open socket stays open and hears nothing more


Fault = RestFault | StreamFault | MarketFault | MinuteFault

ALL: dict[str, Fault] = {
    fault.value: fault for group in (RestFault, StreamFault, MarketFault, MinuteFault) for fault in group
}
