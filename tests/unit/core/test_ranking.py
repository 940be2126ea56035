"""Candidates are ordered by what trades like them brought, less costs; the order is total."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.parameters import Parameters
from core.ports import Scorer
from core.positions import Source
from core.ranking import Experience, expected_cost, rank
from core.signals import Candidate, RankedSignal, Side
from core.symbols import SymbolContext
from tests.builders import candidate, instrument, plan, ranked, symbol_context, trade

PARAMETERS = Parameters()
NAN = float("nan")


class Oracle:
    """A scorer that expects the same gross R of every candidate, or of each symbol its own."""

    def __init__(self, gross_r: float = 0.0, **by_symbol: float) -> None:
        self._gross_r = gross_r
        self._by_symbol = by_symbol

    def expected_gross_r(self, candidate: Candidate) -> float:
        return self._by_symbol.get(candidate.symbol, self._gross_r)


def ranking(
    candidates: Sequence[Candidate],
    contexts: Mapping[str, SymbolContext] | None = None,
    *,
    scorer: Scorer | None = None,
    leverage: int = 3,
) -> tuple[RankedSignal, ...]:
    return rank(
        candidates,
        contexts or {each.symbol: symbol_context(each.symbol) for each in candidates},
        equity=Decimal(10_000),
        leverage=leverage,
        scorer=scorer or Oracle(),
        parameters=PARAMETERS,
    )


def symbols(signals: Sequence[RankedSignal]) -> list[str]:
    return [each.candidate.symbol for each in signals]


def taught(*outcomes: tuple[float, float], source: Source = Source.REAL) -> Experience:
    """Learn from trades given as confidence and gross R."""
    experience = Experience()
    for confidence, gross_r in outcomes:
        signal = ranked(candidate(confidence=confidence))
        experience = experience.learned(trade(plan(signal, source=source), gross_r=gross_r).result)
    return experience


def test_without_trades_no_edge_is_expected() -> None:
    assert Experience().expected_gross_r(candidate(confidence=88)) == 0.0


def test_thirty_trades_of_no_edge_are_believed_beforehand() -> None:
    # 10 trades of 0.8 R: 8 / (10 + 30) = 0.2
    experience = taught(*[(75.0, 0.8)] * 10)
    assert experience.expected_gross_r(candidate(confidence=75)) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (70.0, 72.99, True),
        (72.99, 73.0, False),
        (97.0, 100.0, True),
        (96.99, 97.0, False),
        (70.0, 100.0, False),
    ],
)
def test_confidence_falls_in_fixed_bins_of_three_points(one: float, other: float, alike: bool) -> None:
    expected = taught((one, 1.0)).expected_gross_r(candidate(confidence=other))
    assert (expected > 0) is alike


def test_virtual_trades_teach_and_twins_do_not() -> None:
    assert taught((75.0, 1.0), source=Source.VIRTUAL) == taught((75.0, 1.0))
    assert taught((75.0, 1.0), source=Source.TWIN) == Experience()


def test_a_trade_below_the_threshold_teaches_nothing() -> None:
    assert taught((69.9, 1.0)) == Experience()


def test_expected_values_by_hand() -> None:
    # cost: fees 0.001, half the spread 0.00005, slippage 0.0002, funding 0.0001 / 4 = 0.001275 of price,
    # that is 0.1275 R of a stop at 1 %. Net R 0.3 − 0.1275 = 0.1725; ROI 0.1725 × 1 % × 3.
    (signal,) = ranking([candidate(stop_distance=0.01)], scorer=Oracle(0.3))
    assert signal.expected_gross_r == 0.3
    assert signal.expected_net_r == pytest.approx(0.1725)
    assert signal.expected_roi == pytest.approx(0.005175)
    assert (signal.rank, signal.leverage) == (1, 3)


@pytest.mark.parametrize(
    ("side", "funding_rate", "cost"),
    [
        (Side.LONG, 0.0004, 0.0014),
        (Side.SHORT, 0.0004, 0.0012),
        (Side.LONG, -0.0004, 0.0012),
        (Side.LONG, NAN, 0.001325),
        (Side.SHORT, NAN, 0.001325),
    ],
)
def test_funding_is_paid_or_earned_by_side_and_paid_where_unknown(
    side: Side, funding_rate: float, cost: float
) -> None:
    context = symbol_context(funding_rate=funding_rate, spread=0.0002)
    assert expected_cost(candidate(side=side), context, PARAMETERS) == pytest.approx(cost)


def test_an_unknown_spread_costs_as_much_as_the_widest_we_trade() -> None:
    unknown, widest = (
        expected_cost(candidate(), symbol_context(spread=each), PARAMETERS) for each in (NAN, 0.0005)
    )
    assert unknown == widest


def test_the_better_expectation_comes_first() -> None:
    rivals = [candidate("AUSDT", confidence=95), candidate("BUSDT", confidence=71)]
    assert symbols(ranking(rivals, scorer=Oracle(AUSDT=0.2, BUSDT=0.5))) == ["BUSDT", "AUSDT"]


def test_expected_losses_are_all_alike_so_confidence_decides() -> None:
    rivals = [candidate("AUSDT", confidence=71), candidate("BUSDT", confidence=95)]
    assert symbols(ranking(rivals, scorer=Oracle(AUSDT=-0.1, BUSDT=-0.9))) == ["BUSDT", "AUSDT"]


def test_then_volume_decides_and_unknown_volume_is_none() -> None:
    names = ["AUSDT", "BUSDT", "CUSDT"]
    contexts = {
        name: symbol_context(name, quote_volume_24h=volume)
        for name, volume in zip(names, [NAN, 6e6, 9e6], strict=True)
    }
    assert symbols(ranking([candidate(name) for name in names], contexts)) == ["CUSDT", "BUSDT", "AUSDT"]


def test_then_the_symbol_decides() -> None:
    assert symbols(ranking([candidate(f"{each}USDT") for each in "CAB"])) == ["AUSDT", "BUSDT", "CUSDT"]


def test_candidates_below_the_threshold_or_forbidden_by_geometry_are_not_ranked() -> None:
    wishes = [
        candidate("AUSDT", confidence=69.99),
        candidate("BUSDT", confidence=70),
        candidate("CUSDT", refusal="stop_too_far"),
        candidate("DUSDT", confidence=NAN),
        candidate("EUSDT", price=NAN),
        candidate("FUSDT", stop_distance=0.0),
    ]
    assert symbols(ranking(wishes)) == ["BUSDT"]


def test_leverage_counts_with_every_cap_applied() -> None:
    # A stop at 3 % allows 14× at most (see the sizing tests).
    wide, narrow = ranking(
        [candidate("AUSDT", stop_distance=0.03), candidate("BUSDT", stop_distance=0.01)], leverage=20
    )
    assert {wide.candidate.symbol: wide.leverage, narrow.candidate.symbol: narrow.leverage} == {
        "AUSDT": 14,
        "BUSDT": 20,
    }


def test_a_signal_that_can_not_be_sized_is_ranked_as_worth_nothing() -> None:
    contexts = {
        "AUSDT": symbol_context("AUSDT", contract=instrument("AUSDT", ladder=())),
        "BUSDT": symbol_context("BUSDT"),
    }
    wishes = [candidate("AUSDT", confidence=99), candidate("BUSDT", confidence=71)]
    first, last = ranking(wishes, contexts, scorer=Oracle(1.0))
    assert (first.candidate.symbol, last.candidate.symbol) == ("BUSDT", "AUSDT")
    assert (last.leverage, last.expected_roi) == (0, 0.0)


@pytest.mark.parametrize("score", [NAN, float("inf"), float("-inf")])
def test_a_score_that_is_no_number_counts_as_no_edge(score: float) -> None:
    assert ranking([candidate()], scorer=Oracle(score)) == ranking([candidate()], scorer=Oracle(0.0))


@given(
    confidences=st.lists(st.sampled_from([70.0, 80.0, 90.0]), min_size=1, max_size=8),
    data=st.data(),
)
def test_the_order_does_not_depend_on_the_order_of_arrival(
    confidences: list[float], data: st.DataObject
) -> None:
    wishes = [candidate(f"S{i}USDT", confidence=each) for i, each in enumerate(confidences)]
    shuffled = data.draw(st.permutations(wishes))
    signals = ranking(wishes, scorer=taught((80.0, 1.0)))
    assert ranking(shuffled, scorer=taught((80.0, 1.0))) == signals
    assert [each.rank for each in signals] == list(range(1, len(wishes) + 1))


@given(gross_rs=st.lists(st.integers(-3, 3), max_size=12), data=st.data())
def test_what_is_expected_does_not_depend_on_the_order_of_learning(
    gross_rs: list[int], data: st.DataObject
) -> None:
    outcomes = [(70.0 + 3 * (i % 4), float(each)) for i, each in enumerate(gross_rs)]
    assert taught(*outcomes) == taught(*data.draw(st.permutations(outcomes)))
