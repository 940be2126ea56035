"""The pictures of the rules: the kernel still says what each of them shows."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.rule_pictures import draw_rules, picture_of
from bot.rule_stories import BREAKS, CANDIDATE, EXITS, RULES, Rule
from core.signals import Side

FOLDER = Path(__file__).parents[3] / "docs" / "images" / "strategy"


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_the_kernel_still_says_what_the_picture_shows(rule: Rule) -> None:
    picture = picture_of(rule)
    assert len(picture.notes) == len(rule.remarks) > 0
    assert all("{" not in note.words and note.words.isascii() for note in picture.notes)
    assert all(picture.open_times[0] <= note.at <= picture.open_times[-1] for note in picture.notes)


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_each_picture_lies_in_the_repository_and_is_small(rule: Rule) -> None:
    picture = (FOLDER / f"{rule.name}.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 60_000


def test_a_claim_that_is_not_true_can_not_be_drawn() -> None:
    first = BREAKS.remarks[0]
    lie = first._replace(claim=first.claim._replace(known=first.claim.known - 1))
    with pytest.raises(LookupError, match="does not say BOS"):
        picture_of(replace(BREAKS, remarks=(lie,)))


def test_a_set_up_that_is_none_can_not_be_drawn() -> None:
    with pytest.raises(LookupError, match="no set-up"):
        picture_of(replace(CANDIDATE, side=Side.SHORT))


def test_the_stop_is_the_furthest_of_its_four_bounds() -> None:
    picture = picture_of(EXITS)
    assert picture.plan is not None
    assert len(picture.levels) == 4
    assert picture.plan.stop == pytest.approx(min(level.price for level in picture.levels))


def test_drawing_writes_one_file_a_rule(tmp_path: Path) -> None:
    written = draw_rules(tmp_path / "new", rules=RULES[:2])
    assert [path.name for path in written] == ["swing-point.png", "breaks.png"]
    assert all(0 < path.stat().st_size < 60_000 for path in written)


def test_names_are_used_once() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) == len(list(FOLDER.glob("*.png")))
