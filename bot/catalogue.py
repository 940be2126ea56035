"""Every sentence people read, by key and language; the texts themselves stand in ``bot/texts``."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

_TEXTS = Path(__file__).with_name("texts")


class Language(StrEnum):
    """The languages of the catalogues, by Discord's locale names."""

    ZH_TW = "zh-TW"
    ZH_CN = "zh-CN"
    EN = "en"


def language_of(locale: str, default: Language) -> Language:
    """Return the language for a chat client's locale, such as ``en-GB``; ``default`` where we have none."""
    exact = {each.lower(): each for each in Language}.get(locale.lower())
    if exact is not None:
        return exact
    return Language.EN if locale.lower().startswith("en") else default


def text(key: str, language: Language, **values: object) -> str:
    """Return the sentence for ``key`` with its placeholders filled.

    A key nobody has translated is shown without its table's name, and a placeholder nobody filled stays
    visible: a sentence with a hole is better than a lost alert.
    """
    template = messages(language).get(key)
    if template is None:
        return key.partition(".")[2] or key
    try:
        return template.format(**values)
    except (KeyError, ValueError):
        return template


def placeholders(template: str) -> frozenset[str]:
    """Return the names in ``template`` that are to be filled."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name)


@cache
def messages(language: Language) -> Mapping[str, str]:
    """Return the whole catalogue of a language: dotted key → template."""
    tables = tomllib.loads((_TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return MappingProxyType(dict(_flattened(tables, prefix="")))


def _flattened(table: Mapping[str, object], *, prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, prefix=f"{prefix}{name}.")
            continue
        if not isinstance(value, str):
            raise TypeError(f"{prefix}{name} is not a sentence")
        yield f"{prefix}{name}", value
