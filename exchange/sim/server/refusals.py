"""How the server itself says no: keys, signatures, clocks, limits. Orders are refused by the venue."""

from exchange.sim.venue.rejections import VenueRejection


class Refusal(VenueRejection):
    """A refusal that may tell the client when to come back, in whole machine seconds."""

    def __init__(self, code: int, message: str, http_status: int = 400, *, retry_after: int = 0) -> None:
        super().__init__(code, message, http_status)
        self.retry_after = retry_after


def bad_symbol() -> Refusal:
    return Refusal(-1121, "Invalid symbol.")


def bad_interval() -> Refusal:
    return Refusal(-1120, "Invalid interval.")


def missing(name: str) -> Refusal:
    return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def malformed(name: str) -> Refusal:
    return Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")


def no_such_path(method: str, path: str) -> Refusal:
    return Refusal(-5000, f"Path {path}, Method {method} is invalid", 404)


def bad_key_format() -> Refusal:
    return Refusal(-2014, "API-key format invalid.", 401)


def unknown_key() -> Refusal:
    return Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def bad_signature() -> Refusal:
    return Refusal(-1022, "Signature for this request is not valid.")


def outside_window() -> Refusal:
    return Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def ahead_of_server() -> Refusal:
    return Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def no_listen_key() -> Refusal:
    return Refusal(-1125, "This listenKey does not exist.")


def too_much_weight(address: str, limit: int, retry_after: int) -> Refusal:
    text = (
        f"Too many requests; current limit of IP({address}) is {limit} requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    )
    return Refusal(-1003, text, 429, retry_after=retry_after)


def banned(address: str, until_ms: int, retry_after: int) -> Refusal:
    text = (
        f"Way too many requests; IP({address}) banned until {until_ms}. "
        "Please use the websocket for live updates to avoid bans."
    )
    return Refusal(-1003, text, 418, retry_after=retry_after)


def too_many_orders(limit: int, window: str) -> Refusal:
    return Refusal(-1015, f"Too many new orders; current limit is {limit} orders per {window}.", 429)
