"""The terminal's words: the chat's keys, and a sentence for every gate and factor there is."""

from bot.catalogue import Language, messages
from cli.reasons import (
    ALERTS,
    GATES,
    NEVER_HELD,
    NO_BLOCK,
    TEXTS,
    detail_text,
    factor_text,
    gate_name,
    gate_text,
    refusal_text,
    strongest,
)
from core.positions import ExitReason
from core.verdicts import Reason
from services.scanner import CONFIDENCE_GATE
from strategies.ict_smc.explanation import GateName
from tests.builders_scan import READY, last_minute, scanner

SHARED = ("factor.", "why.", "reason.")


def test_the_keys_are_those_of_the_chat() -> None:
    assert set(TEXTS) == {key for key in messages(Language.EN) if key.startswith(SHARED)}


def test_alerts_that_have_words_of_their_own_are_alerts_of_the_chat() -> None:
    assert {f"alert.{key}" for key in ALERTS} <= set(messages(Language.EN))


def test_every_gate_and_factor_has_words_for_its_numbers() -> None:
    looking = scanner()
    looking.judge(last_minute())
    for told in looking.explained(READY):
        assert all(gate_text(gate) and "{" not in gate_text(gate) for gate in told.gates)
        assert all(factor_text(factor) for factor in told.factors)


def test_no_gate_is_without_a_name() -> None:
    bounds = {Reason.SPREAD, Reason.VOLUME, Reason.TRIGGER_PROTECT, Reason.NOT_IN_UNIVERSE}
    assert set(GATES) == {*GateName, *bounds, CONFIDENCE_GATE}
    assert gate_name(GateName.RETEST) == "first return"


def test_what_is_missing_for_want_of_a_block_says_so() -> None:
    looking = scanner()
    looking.judge(last_minute())
    _, short = looking.explained(READY)
    gates = {gate.name: gate_text(gate) for gate in short.gates}
    assert gates[GateName.BLOCK] == gates[GateName.RETEST] == gates[GateName.TRIGGER] == NO_BLOCK


def test_the_strongest_factors_come_first() -> None:
    looking = scanner()
    looking.judge(last_minute())
    points = [factor.points for factor in strongest(looking.explained(READY)[0].factors, 3)]
    assert points == sorted(points, reverse=True)
    assert len(points) == 3


def test_a_refusal_is_worded_even_when_it_is_new() -> None:
    assert refusal_text("no_room") == "no slot free"
    assert refusal_text("made_up_since") == "made up since"


def test_why_an_entry_failed_is_said_in_words() -> None:
    assert "leverage" in detail_text(ExitReason.NOT_PREPARED.value)
    for reason in NEVER_HELD:
        assert detail_text(reason) != reason.replace("_", " ")
    assert {f"exit.{reason}" for reason in NEVER_HELD} <= set(messages(Language.EN))
