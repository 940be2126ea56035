"""No content, however long or hostile, makes an embed that Discord refuses."""

import operator

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue import Language
from bot.layout import (
    Card,
    Field,
    Style,
    Tone,
    UpColour,
    clip,
    embed_of,
    escaped,
    fits_beside,
    pages_of,
    plain,
)
from tests.builders import T0
from tests.fakes.discord_payloads import embed_length, refusals_of_message

STYLE = Style(language=Language.EN, mode="sim")

words = st.text(max_size=8) | st.builds(operator.mul, st.characters(), st.integers(0, 5000))
fields = st.lists(st.builds(Field, words, words), max_size=40)
cards = st.builds(
    Card,
    title=words,
    tone=st.sampled_from(Tone),
    at=st.just(T0),
    description=words,
    fields=fields,
    footer=words,
)


def refused(*embeds: discord.Embed) -> list[str]:
    return refusals_of_message({"embeds": [embed.to_dict() for embed in embeds]})


@given(cards)
def test_any_card_becomes_an_embed_that_discord_takes(card: Card) -> None:
    assert not refused(embed_of(card, STYLE))


@given(cards, st.integers(1, 40))
def test_pages_lose_no_field_and_each_is_taken(card: Card, per_page: int) -> None:
    pages = pages_of(card, STYLE, per_page=per_page)
    assert sum(len(page.fields) for page in pages) == len(card.fields)
    assert all(not refused(page) for page in pages)


@given(st.lists(cards, max_size=4))
def test_embeds_said_to_fit_beside_each_other_are_taken_as_one_message(many: list[Card]) -> None:
    together: list[discord.Embed] = []
    for embed in (embed_of(card, STYLE) for card in many):
        if fits_beside(embed, together):
            together.append(embed)
    assert not refused(*together) or not together


def test_a_page_turns_before_its_characters_run_out() -> None:
    card = Card(title="t", tone=Tone.NOTE, at=T0, fields=[Field("n" * 200, "v" * 1000)] * 12)
    pages = pages_of(card, STYLE, per_page=25)
    assert [len(page.fields) for page in pages] == [4, 4, 4]
    assert not any(refused(page) for page in pages)


def test_at_the_limit_nothing_is_cut_and_one_beyond_it_is() -> None:
    assert clip("x" * 256, 256) == "x" * 256
    assert clip("x" * 257, 256) == "x" * 255 + "…"


def test_characters_outside_the_basic_plane_count_twice_and_are_never_halved() -> None:
    assert clip("🟢" * 10, 9) == "🟢" * 4 + "…"


def test_every_footer_names_the_mode() -> None:
    card = Card(title="t", tone=Tone.NOTE, at=T0, footer="real")
    assert embed_of(card, Style(language=Language.EN, mode="live")).footer.text == "LIVE · real"


def test_the_reader_chooses_the_colour_of_rising() -> None:
    western = Style(language=Language.EN, mode="sim", up=UpColour.GREEN)
    taiwanese = Style(language=Language.ZH_TW, mode="sim", up=UpColour.RED)
    assert western.colour(Tone.UP) == taiwanese.colour(Tone.DOWN)
    assert western.colour(Tone.DOWN) == taiwanese.colour(Tone.UP)
    assert western.colour(Tone.UP) != western.colour(Tone.DOWN)


@pytest.mark.parametrize(
    ("hostile", "disarmed"),
    [
        ("@everyone", "@\u200beveryone"),
        ("<@123456789012345678>", "<@\u200b123456789012345678>"),
        ("**bold**", r"\*\*bold\*\*"),
        ("[click](http://example.com)", r"\[click\](http://example.com)"),
        ("[a](http://b) **c** [d](http://e)", r"\[a\](http://b) \*\*c\*\* \[d\](http://e)"),
        ("a-b\n - listed\n> said", "a-b\n \\- listed\n\\> said"),
        ("`code`", r"\`code\`"),
        ("# title", r"\# title"),
    ],
)
def test_words_from_elsewhere_are_disarmed(hostile: str, disarmed: str) -> None:
    assert escaped(hostile) == disarmed


def test_an_embed_reads_as_plain_text_elsewhere() -> None:
    card = Card(title="Balance", tone=Tone.NOTE, at=T0, description="**12**", fields=[Field("Equity", "10")])
    assert plain(embed_of(card, STYLE)) == "Balance\n12\nEquity: 10\nSIM"


def test_our_count_is_not_smaller_than_discords() -> None:
    card = Card(title="t" * 300, tone=Tone.NOTE, at=T0, fields=[Field("n" * 300, "v" * 2000)] * 25)
    assert embed_length(embed_of(card, STYLE).to_dict()) <= 6000
