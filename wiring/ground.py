"""What a trader is built on, before there is one: a place, an account there, and the books of the run."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.clock import ScaledClock
from core.instruments import Instrument
from core.settings import Settings
from services.session import Inbox
from wiring.account import Account, account_of
from wiring.place import Place
from wiring.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a run stands; ``instruments`` are the contracts as they were told at first."""

    place: Place
    settings: Settings
    records: Records
    inbox: Inbox
    account: Account
    instruments: Mapping[str, Instrument]

    @property
    def clock(self) -> ScaledClock:
        return self.place.clock


async def ground_at(place: Place, settings: Settings, records: Records) -> Ground:
    """Open the account of the settings' mode at this place."""
    inbox = Inbox()
    account = await account_of(settings, place, records, post=inbox.post)
    return Ground(
        place=place,
        settings=settings,
        records=records,
        inbox=inbox,
        account=account,
        instruments=await account.exchange.instruments(),
    )
