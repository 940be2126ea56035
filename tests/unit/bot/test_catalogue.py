"""The three catalogues say the same things, and everything the program can say is in them."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from bot.catalogue import Language, language_of, messages, placeholders, text
from core.lifecycle_moves import Concern
from core.notices import Severity
from core.positions import ExitReason, Source, Stage
from core.reconciliation import Oddity
from core.risk_state import Halt, RiskNews
from core.signals import Side
from core.verdicts import Reason
from strategies.ict_smc.confidence import PARTS
from strategies.ict_smc.geometry import POOL_TOO_NEAR, STOP_TOO_FAR

ROOT = Path(__file__).parents[3]
OTHERS = [language for language in Language if language is not Language.EN]

# Characters that are written differently in the two scripts, and that our texts use often.
SIMPLIFIED_ONLY = set(
    "仓单实虚损错误时间连续账户订数据区进场强闭达对权产为与从这个开价额资费滑点风险还记录约币认证"
)
TRADITIONAL_ONLY = set(
    "倉單實虛損錯誤時間連續帳戶訂數據區進場強閉達對權產為與從這個開價額資費滑點風險還記錄約幣認證"
)
SHARED = SIMPLIFIED_ONLY & TRADITIONAL_ONLY


def table(prefix: str, kinds: type[StrEnum]) -> list[str]:
    return [f"{prefix}.{kind.value}" for kind in kinds]


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_sentences_with_the_same_placeholders(language: Language) -> None:
    english, other = messages(Language.EN), messages(language)
    assert set(other) == set(english)
    assert {key: placeholders(words) for key, words in other.items()} == {
        key: placeholders(words) for key, words in english.items()
    }


@pytest.mark.parametrize("language", list(Language))
def test_no_sentence_is_empty_or_broken(language: Language) -> None:
    for key, words in messages(language).items():
        assert words.strip(), key
        assert words == words.strip(), key


def test_traditional_and_simplified_are_not_mixed() -> None:
    taiwan = set("".join(messages(Language.ZH_TW).values()))
    mainland = set("".join(messages(Language.ZH_CN).values()))
    assert not taiwan & (SIMPLIFIED_ONLY - SHARED)
    assert not mainland & (TRADITIONAL_ONLY - SHARED)


@pytest.mark.parametrize(
    "keys",
    [
        table("reason", Reason),
        table("reason", Halt),
        [f"reason.{refusal}" for refusal in (POOL_TOO_NEAR, STOP_TOO_FAR)],
        table("alert", RiskNews),
        table("alert", Concern),
        table("alert", Oddity),
        table("exit", ExitReason),
        table("stage", Stage),
        table("source", Source),
        table("severity", Severity),
        [f"side.{side.name.lower()}" for side in Side],
    ],
    ids=[
        "reasons",
        "halts",
        "geometry",
        "risk news",
        "concerns",
        "oddities",
        "exits",
        "stages",
        "sources",
        "severities",
        "sides",
    ],
)
def test_everything_the_core_names_has_words(keys: list[str]) -> None:
    assert set(keys) <= set(messages(Language.EN))


def test_every_alert_that_a_service_raises_has_words() -> None:
    raised = {f"alert.{key}" for path in (ROOT / "services").glob("*.py") for key in _alert_keys(path)}
    assert raised
    assert raised <= set(messages(Language.EN))


def test_every_factor_has_a_name_and_a_sentence_that_its_numbers_can_fill() -> None:
    english = messages(Language.EN)
    for name, parts in PARTS.items():
        assert f"factor.{name}" in english
        assert placeholders(english[f"why.{name}"]) <= {part for part, _ in parts}
        numbers = {part: 0.5 for part, _ in parts}
        assert "{" not in text(f"why.{name}", Language.ZH_TW, **numbers)


def test_every_key_that_the_front_asks_for_exists() -> None:
    asked = {key for path in (ROOT / "bot").glob("*.py") for key in _literal_keys(path)}
    assert "positions.title" in asked
    assert asked <= set(messages(Language.EN))


def test_a_key_nobody_translated_is_shown_as_it_is() -> None:
    assert text("alert.something_new", Language.EN) == "something_new"
    assert text("reason.the operator said: stop. Now.", Language.EN) == "the operator said: stop. Now."


def test_a_placeholder_nobody_filled_does_not_silence_the_sentence() -> None:
    assert text("outbox.dropped", Language.EN) == messages(Language.EN)["outbox.dropped"]


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("zh-TW", Language.ZH_TW),
        ("zh-CN", Language.ZH_CN),
        ("en-US", Language.EN),
        ("en-GB", Language.EN),
        ("ja", Language.ZH_CN),
    ],
)
def test_a_reader_gets_their_language_or_ours(locale: str, language: Language) -> None:
    assert language_of(locale, Language.ZH_CN) is language


def _alert_keys(path: Path) -> Iterator[str]:
    """Yield the literal keys of ``Alert(key=…)`` and of ``say(…)``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [word.value for word in node.keywords if word.arg == "key" and name == "Alert"]
        given += node.args[:1] if name in {"_say", "say"} else []
        yield from (
            each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )


def _literal_keys(path: Path) -> Iterator[str]:
    tables = "|".join({key.partition(".")[0] for key in messages(Language.EN)})
    source = path.read_text(encoding="utf-8")
    yield from re.findall(rf'"((?:{tables})\.[a-z_.]+[a-z])"', source)
