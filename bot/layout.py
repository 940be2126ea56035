"""Embeds that Discord accepts: clipped, counted, paged, coloured, signed with the mode."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import NamedTuple

import discord

from bot.catalogue import Language

TITLE_LIMIT = 256
DESCRIPTION_LIMIT = 4096
NAME_LIMIT = 256
VALUE_LIMIT = 1024
FOOTER_LIMIT = 256  # Discord allows 2048, which would leave the fields too little of the total
FIELD_LIMIT = 25
TOTAL_LIMIT = 6000
EMBEDS_A_MESSAGE = 10

_ELLIPSIS = "…"
# discord.py's own escape_markdown takes all from the first "[" to the last ")" for one link, and leaves
# what stands between as it is.
_FORMATTING = re.compile(r"^[ \t]*(?=[#>-])|(?=[\\*_~`|\[\]])", re.MULTILINE)
_BLANK = "\u200b"  # Discord refuses an empty field
_GREEN, _RED, _GREY, _BLUE, _AMBER = 0x26A69A, 0xEF5350, 0x78909C, 0x42A5F5, 0xFFB300


class UpColour(StrEnum):
    """The colour of rising prices: green in the West, red in Taiwan and China."""

    GREEN = "green"
    RED = "red"


class Tone(Enum):
    """What a card's colour says; the same is always said by a word and a sign too."""

    UP = 1
    DOWN = -1
    FLAT = 0
    NOTE = 2
    WARNING = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a card is written: for whom, and about which mode's money."""

    language: Language
    mode: str
    up: UpColour = UpColour.GREEN

    def colour(self, tone: Tone) -> int:
        rising, falling = (_GREEN, _RED) if self.up is UpColour.GREEN else (_RED, _GREEN)
        colours = {Tone.UP: rising, Tone.DOWN: falling, Tone.FLAT: _GREY, Tone.NOTE: _BLUE}
        return colours.get(tone, _AMBER if tone is Tone.WARNING else _RED)


class Field(NamedTuple):
    """One named value of an embed; inline ones share a row, three at most."""

    name: str
    value: str
    inline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The content of one embed before Discord's limits are applied."""

    title: str
    tone: Tone
    at: int
    description: str = ""
    fields: Sequence[Field] = ()
    footer: str = ""


def embed_of(card: Card, style: Style) -> discord.Embed:
    """Return the card as one embed; what does not fit is cut, from the last field on."""
    embed = _frame(card, style)
    for field in card.fields[:FIELD_LIMIT]:
        fitted = _fitted(field)
        if _size(embed) + _field_size(fitted) > TOTAL_LIMIT:
            break
        embed.add_field(name=fitted.name, value=fitted.value, inline=fitted.inline)
    return embed


def pages_of(card: Card, style: Style, *, per_page: int) -> list[discord.Embed]:
    """Return the card as embeds of at most ``per_page`` fields, none of which lost a field."""
    pages = [_frame(card, style)]
    for field in map(_fitted, card.fields):
        is_full = len(pages[-1].fields) >= min(per_page, FIELD_LIMIT)
        if is_full or _size(pages[-1]) + _field_size(field) > TOTAL_LIMIT:
            pages.append(_frame(card, style))
        pages[-1].add_field(name=field.name, value=field.value, inline=field.inline)
    return pages


def fits_beside(embed: discord.Embed, others: Sequence[discord.Embed]) -> bool:
    """Say whether ``embed`` may join ``others`` in one message."""
    return len(others) < EMBEDS_A_MESSAGE and _size(embed) + sum(map(_size, others)) <= TOTAL_LIMIT


def escaped(untrusted: str) -> str:
    """Disarm text we did not write: no markdown, no mentions, no masked links."""
    return discord.utils.escape_mentions(_FORMATTING.sub(r"\g<0>\\", untrusted))


def plain(embed: discord.Embed) -> str:
    """Return the embed as text, for terminals and for fronts that have no embeds."""
    lines = [embed.title or "", embed.description or ""]
    lines += [f"{field.name}: {field.value}" for field in embed.fields]
    lines.append(embed.footer.text or "")
    return "\n".join(line for line in lines if line).replace("**", "")


def clip(words: str, limit: int) -> str:
    """Cut to ``limit`` characters as Discord may count them: characters outside the BMP count twice."""
    if _length(words) <= limit:
        return words
    kept = _code_units(words)[: 2 * (limit - 1)].decode("utf-16-le", errors="ignore")
    return kept + _ELLIPSIS


def _frame(card: Card, style: Style) -> discord.Embed:
    embed = discord.Embed(
        title=clip(card.title, TITLE_LIMIT),
        description=clip(card.description, DESCRIPTION_LIMIT) or None,
        colour=style.colour(card.tone),
        timestamp=datetime.fromtimestamp(card.at / 1000, tz=UTC),
    )
    signature = " · ".join(part for part in (style.mode.upper(), card.footer) if part)
    return embed.set_footer(text=clip(signature, FOOTER_LIMIT))


def _fitted(field: Field) -> Field:
    name, value = clip(field.name.strip(), NAME_LIMIT), clip(field.value.strip(), VALUE_LIMIT)
    return Field(name or _BLANK, value or _BLANK, field.inline)


def _field_size(field: Field) -> int:
    return _length(field.name) + _length(field.value)


def _size(embed: discord.Embed) -> int:
    heads = (embed.title, embed.description, embed.footer.text)
    fields = sum(_length(field.name or "") + _length(field.value or "") for field in embed.fields)
    return fields + sum(_length(part) for part in heads if part)


def _length(words: str) -> int:
    return len(_code_units(words)) // 2


def _code_units(words: str) -> bytes:
    """Encode what came from elsewhere, halves of characters included."""
    return words.encode("utf-16-le", errors="surrogatepass")
