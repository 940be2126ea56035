"""What a book remembers of its positions: enough to know its orders, and no more as the months go by."""

from core.order_ids import position_tag
from services.known_tags import REMEMBERED_POSITIONS, KnownTags


def test_the_oldest_are_forgotten_and_who_still_changes_is_not() -> None:
    known = KnownTags()
    known.keep(["real:long held", "real:old"])
    for number in range(REMEMBERED_POSITIONS):
        known.keep([f"real:{number}"])
        known.keep(["real:long held"])
    assert len(known) == REMEMBERED_POSITIONS
    assert known[position_tag("real:long held")] == "real:long held"
    assert position_tag("real:old") not in known
    assert position_tag("real:0") not in known
    assert position_tag("real:1") in known


def test_what_is_told_first_is_forgotten_first() -> None:
    known = KnownTags()
    known.keep(str(number) for number in range(REMEMBERED_POSITIONS + 2))
    assert next(iter(known)) == position_tag("2")
