"""Faults, named for what happened. Refusals are values (see ``core.risk``), not exceptions."""


class PerpscoutError(Exception):
    """Base of every fault we raise on purpose; its text is one sentence a person can act on."""


class SettingsError(PerpscoutError):
    """A setting is missing, unknown or out of range."""


class ModeRefused(SettingsError):
    """The mode asked for must not start like this; wrong use, and nothing was sent anywhere."""


class DataFileError(PerpscoutError):
    """A candle file, trade log or instrument table can not be read as what it claims to be."""


class JournalError(PerpscoutError):
    """The journal can not be opened, written or trusted. No entry may follow."""


class EntryUnwritable(JournalError):
    """An entry of the call has no form in the journal: it will not be written later either."""


class ExchangeUnavailable(PerpscoutError):
    """The exchange did not answer. For an order this means: the outcome is unknown."""


class ExchangeRefused(PerpscoutError):
    """The exchange said no, with its numeric code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message


class NotAllowed(ExchangeRefused):
    """The exchange does not let us trade as we are: key, signature, position mode or a restriction.

    Only a person can change that.
    """


class RateLimited(ExchangeRefused):
    """The exchange told us to stay away until ``retry_after`` seconds have passed."""

    def __init__(self, code: int, message: str, *, retry_after: float) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class RestartNeeded(PerpscoutError):
    """Only a fresh start helps. Ending is safe: stops rest at the exchange, the journal holds the rest."""
