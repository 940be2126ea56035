"""Positions that ended with nothing filled, remembered for the case that their entry fills after all."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from core.order_ids import role_of, tag_of
from core.orders import Role
from core.positions import Position

REMEMBERED = 50


class GivenUp:
    """The last of them, by the tag of their orders."""

    def __init__(self) -> None:
        self._positions: OrderedDict[str, Position] = OrderedDict()

    def __iter__(self) -> Iterator[Position]:
        return iter(tuple(self._positions.values()))

    def keep(self, positions: Iterable[Position]) -> None:
        """Remember those among ``positions``, the oldest first, whose entry was sent and filled nothing."""
        for position in positions:
            if not position.is_live and not position.fills and Role.ENTRY in position.attempts:
                self._positions[position.tag] = position
        while len(self._positions) > REMEMBERED:
            self._positions.popitem(last=False)

    def entered_by(self, order_id: str) -> Position | None:
        """Return, and forget, the position that this order was to open, ``None`` where it is none's."""
        if role_of(order_id) is not Role.ENTRY:
            return None
        return self._positions.pop(tag_of(order_id) or "", None)
