"""docs/faults.md is what the marks on the tests and the words of the catalogue make of it."""

from tests.fault_catalogue import PAGE, faults, marked_tests, page


def test_the_page_is_the_one_that_is_made() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.fault_catalogue"


def test_every_mark_names_a_row_of_the_catalogue() -> None:
    assert marked_tests().keys() <= {row.number for row in faults()}


def test_no_row_stands_twice() -> None:
    numbers = [row.number for row in faults()]
    assert len(numbers) == len(set(numbers))


def test_every_row_is_shown_but_those_of_what_is_not_built_yet() -> None:
    later = {99, 100}  # a model that is asked live, and its drift
    assert {row.number for row in faults()} - marked_tests().keys() == later
