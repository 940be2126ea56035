"""By what a book knows its own orders again: the tags of the positions it has begun."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

from core.order_ids import position_tag

REMEMBERED_POSITIONS = 10_000
"""Months of positions, and shadows of days: nothing of older ones rests anywhere any more."""


class KnownTags(Mapping[str, str]):
    """The position of each tag, of those that changed last."""

    def __init__(self) -> None:
        self._position_ids: OrderedDict[str, str] = OrderedDict()

    def __getitem__(self, tag: str) -> str:
        return self._position_ids[tag]

    def __iter__(self) -> Iterator[str]:
        return iter(self._position_ids)

    def __len__(self) -> int:
        return len(self._position_ids)

    def keep(self, position_ids: Iterable[str]) -> None:
        """Remember these, the oldest first; who is remembered already becomes the newest."""
        for position_id in position_ids:
            tag = position_tag(position_id)
            self._position_ids[tag] = position_id
            self._position_ids.move_to_end(tag)
        while len(self._position_ids) > REMEMBERED_POSITIONS:
            self._position_ids.popitem(last=False)
