"""A wallet is what its incomes have made it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.income import Income, IncomeKind
from core.wallet import OVERLAP_MS, Wallet
from data.codec import decode, encode
from tests.builders import T0

BEGUN = Wallet(balance=Decimal(1000), at=T0)


def income(income_id: str, amount: str, *, at: int = T0) -> Income:
    return Income(income_id=income_id, kind=IncomeKind.TRADE, symbol="", amount=Decimal(amount), at=at)


def test_a_wallet_that_has_not_moved_needs_no_explanation() -> None:
    assert BEGUN.leading_to(Decimal(1000), ()) == ()
    assert BEGUN.accounted(Decimal(1000), (), at=T0 + 1) is BEGUN


def test_news_younger_than_the_read_are_left_for_the_next_one() -> None:
    news = (income("1", "-5"), income("2", "20", at=T0 + 1))
    assert BEGUN.leading_to(Decimal(995), news) == news[:1]
    assert BEGUN.leading_to(Decimal(1015), news) == news


def test_a_change_that_is_not_recorded_yet_is_not_explained() -> None:
    news = (income("1", "-5"),)
    assert BEGUN.leading_to(Decimal(1200), news) is None
    assert BEGUN.unexplained(Decimal(1200), news) == Decimal(205)


def test_what_was_counted_is_no_news_and_may_be_forgotten_once_it_is_not_listed_again() -> None:
    early, late = income("1", "-5"), income("2", "7", at=T0 + OVERLAP_MS + 1)
    once = BEGUN.accounted(Decimal(995), (early,), at=T0)
    assert once.news((early, early, late)) == (late,)
    twice = once.accounted(Decimal(1002), (late,), at=T0 + OVERLAP_MS + 1)
    assert list(twice.counted) == ["2"]
    assert early.at < twice.asks_since


def test_it_is_the_same_after_it_was_written_down() -> None:
    wallet = BEGUN.accounted(Decimal(995), (income("1", "-5"),), at=T0)
    assert decode(encode(wallet), Wallet) == wallet


@given(
    amounts=st.lists(st.integers(-500, 500).filter(bool), max_size=12),
    moments=st.lists(st.integers(0, 12), max_size=16),
)
def test_however_reads_and_lists_fall_every_income_is_counted_once(
    amounts: list[int], moments: list[int]
) -> None:
    """Reads and lists take turns; each sees all that happened before it, a list some of what comes after."""
    incomes = [income(str(number), str(amount), at=T0 + number) for number, amount in enumerate(amounts)]
    wallet, counted = BEGUN, list[Income]()
    turns = [*sorted(moments)[: len(moments) // 2 * 2], len(amounts), len(amounts)]
    for seen, listed in zip(turns[::2], turns[1::2], strict=True):
        balance = Decimal(1000) + sum(each.amount for each in incomes[:seen])
        run = wallet.leading_to(balance, wallet.news(incomes[:listed]))
        assert run is not None, "the list holds all that the read has seen"
        counted += run
        wallet = wallet.accounted(balance, run, at=T0 + seen)
    assert wallet.balance == Decimal(1000) + sum(amounts)
    assert len(counted) == len({each.income_id for each in counted})
    assert sum((each.amount for each in counted), Decimal(0)) == sum(amounts)
