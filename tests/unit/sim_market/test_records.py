"""Records rendered by the compiled loop read like the numbers they stand for."""

from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.server.frames import text_frame
from exchange.sim.server.records import TEXT, Template, Texts


@given(st.lists(st.tuples(st.integers(-(2**60), 2**60), st.integers(0, 12)), min_size=1, max_size=20))
def test_numbers_keep_their_value_and_their_decimals(pairs: list[tuple[int, int]]) -> None:
    values, places = (np.array(each, np.int64) for each in zip(*pairs, strict=True))
    records = Template('"<x>"').render({"x": values}, decimals={"x": places}, rows=len(pairs))
    for record, (value, place) in zip(records, pairs, strict=True):
        assert record.decode().strip('"') == f"{Decimal(value).scaleb(-place):.{place}f}"


def test_texts_and_literals_surround_the_numbers() -> None:
    template = Template('{"s":"<s>","p":<p>,"again":"<s>"}', texts=Texts(["A", "LONGER", ""]))
    records = template.render({"s": np.array([1, 0, 2]), "p": 7}, decimals={"s": TEXT}, rows=3)
    assert [msgspec.json.decode(each)["again"] for each in records] == ["LONGER", "A", ""]
    assert records[1] == b'{"s":"A","p":7,"again":"A"}'


def test_no_rows_make_no_records() -> None:
    assert Template("<x>").render({"x": 1}, decimals={}, rows=0) == []


def test_frames_carry_their_length_in_one_three_or_nine_bytes() -> None:
    assert text_frame(b"a" * 125)[:2] == bytes((0x81, 125))
    assert text_frame(b"a" * 126)[:4] == bytes((0x81, 126, 0, 126))
    assert text_frame(b"a" * 65_536)[:10] == bytes((0x81, 127)) + (65_536).to_bytes(8, "big")
