"""Streams come and go, and connections are disturbed as little as can be."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.binance.allotment import allotted

ROOM = 4
names = st.sets(st.sampled_from([f"s{number}" for number in range(24)]))


@given(steps=st.lists(names, min_size=1, max_size=8))
def test_whatever_is_wanted_each_stream_has_one_connection_and_stays_on_it(steps: list[set[str]]) -> None:
    carried: list[tuple[str, ...]] = []
    for wanted in steps:
        before = {name: place for place, each in enumerate(carried) for name in each}
        now = allotted(carried, sorted(wanted), room=ROOM)
        after = {name: place for place, each in enumerate(now) for name in each}
        assert sorted(name for each in now for name in each) == sorted(wanted)
        assert max(map(len, now), default=0) <= ROOM
        assert all(after[name] == before[name] for name in after.keys() & before.keys())
        if len(now) > len(carried):
            assert all(len(each) == ROOM for each in now[:-1]), "a new connection beside one that has room"
        carried = now


def test_at_most_two_hundred_share_a_connection() -> None:
    carried = allotted([], [f"s{number}" for number in range(450)])
    assert [len(each) for each in carried] == [200, 200, 50]
