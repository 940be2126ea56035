"""Notices as embeds: what was opened, what closed, what was refused, what a person should know."""

from collections.abc import Sequence
from typing import assert_never

import discord

from bot import numbers
from bot.catalogue import Language, messages, text
from bot.layout import Card, Field, Style, Tone, UpColour, embed_of, escaped
from core.notices import Alert, Notice, PositionEnded, PositionOpened, Severity, SignalRefused
from core.parameters import OutcomeParameters
from core.positions import ExitReason, Position, Source
from core.signals import Candidate, Side
from core.trades import EMPTY_SNAPSHOT, TradeRecord
from core.views import resting_stop

_OUTCOME = OutcomeParameters()
_ARROWS = {Side.LONG: "▲", Side.SHORT: "▼"}
_SIDE_TONES = {Side.LONG: Tone.UP, Side.SHORT: Tone.DOWN}
_ALERTS = {
    Severity.INFO: (Tone.NOTE, "ℹ️"),
    Severity.WARNING: (Tone.WARNING, "⚠️"),
    Severity.CRITICAL: (Tone.CRITICAL, "⛔"),
}


def notice_embed(notice: Notice, style: Style) -> discord.Embed:
    """Return the embed for any notice."""
    match notice:
        case PositionOpened():
            return entry_embed(notice, style)
        case PositionEnded():
            return close_embed(notice, style)
        case SignalRefused():
            return refusal_embed(notice, style)
        case Alert():
            return alert_embed(notice, style)
        case _:
            assert_never(notice)


def entry_embed(notice: PositionOpened, style: Style) -> discord.Embed:
    """Say what was opened, what protects it, what it may cost, and why."""
    position, language = notice.position, style.language
    candidate = position.plan.candidate
    title = text(
        "entry.title",
        language,
        mark=mark_of(_SIDE_TONES[position.side], style),
        position=heading_of(position, language),
        confidence=candidate.confidence,
    )
    card = Card(
        title=title,
        tone=_SIDE_TONES[position.side],
        at=notice.at,
        description=_levels(position, language),
        fields=_terms(position, language),
        footer=signature_of(position, language),
    )
    return embed_of(card, style)


def close_embed(notice: PositionEnded, style: Style) -> discord.Embed:
    """Say how it ended, what it brought after costs, and where the day stands."""
    position, language = notice.position, style.language
    net_r = TradeRecord(position=position, snapshot=EMPTY_SNAPSHOT).net_r
    tone = tone_of(net_r)
    title = text(
        "close.title",
        language,
        mark=mark_of(tone, style),
        position=heading_of(position, language),
        outcome=text(f"outcome.{tone.name.lower()}", language),
        net_r=numbers.signed_r(net_r),
    )
    card = Card(
        title=title,
        tone=tone,
        at=notice.at,
        description=_account(position, language),
        fields=_ending(notice, language),
        footer=signature_of(position, language),
    )
    return embed_of(card, style)


def refusal_embed(notice: SignalRefused, style: Style) -> discord.Embed:
    """Say which signal was not taken, the decisive reason first."""
    candidate, language = notice.signal.candidate, style.language
    title = text(
        "refused.title",
        language,
        position=f"{side_word(candidate.side, language)} {escaped(candidate.symbol)}",
        confidence=candidate.confidence,
    )
    reasons = [f"• {text(f'reason.{reason}', language)}" for reason in notice.reasons]
    card = Card(title=title, tone=Tone.NOTE, at=notice.at, description="\n".join(reasons))
    return embed_of(card, style)


def alert_embed(notice: Alert, style: Style) -> discord.Embed:
    """Say what happened in our words; words from elsewhere follow, disarmed."""
    tone, icon = _ALERTS[notice.severity]
    headline = text(f"alert.{notice.key}", style.language)
    card = Card(
        title=" ".join(part for part in (icon, escaped(notice.symbol), headline) if part),
        tone=tone,
        at=notice.at,
        description=escaped(_in_words(notice.text, style.language)),
        footer=text(f"severity.{notice.severity}", style.language),
    )
    return embed_of(card, style)


# --- words shared with the panels -------------------------------------------------------------------


def heading_of(position: Position, language: Language) -> str:
    """Name a position in one breath: ``▲ LONG BTCUSDT``, and whether it is only virtual."""
    words = f"{side_word(position.side, language)} {escaped(position.symbol)}"
    if position.plan.source is Source.REAL:
        return words
    source = text(f"source.{position.plan.source}", language)
    return text("position.of_source", language, position=words, source=source)


def side_word(side: Side, language: Language) -> str:
    return f"{_ARROWS[side]} {text(f'side.{side.name.lower()}', language)}"


def tone_of(net_r: float) -> Tone:
    """Tell won from lost from neither."""
    if net_r > _OUTCOME.win_above_r:
        return Tone.UP
    return Tone.DOWN if net_r < _OUTCOME.loss_below_r else Tone.FLAT


def mark_of(tone: Tone, style: Style) -> str:
    """Return the coloured dot of a tone, in the reader's convention of rising and falling."""
    if tone is Tone.FLAT:
        return "⚪"
    return "🟢" if (tone is Tone.UP) == (style.up is UpColour.GREEN) else "🔴"


def signature_of(position: Position, language: Language) -> str:
    """Say in the footer whose book this is and which strategy asked for it."""
    return f"{text(f'source.{position.plan.source}', language)} · {position.plan.candidate.strategy}"


# --- parts ------------------------------------------------------------------------------------------


def _levels(position: Position, language: Language) -> str:
    entry, tick = position.entry_price, position.plan.instrument.tick_size
    stop, target = position.stop_price, position.target_price
    risk = abs(entry - stop)
    words = text(
        "entry.levels",
        language,
        entry=numbers.price(entry, tick),
        stop=numbers.price(stop, tick),
        stop_move=numbers.signed_percent(float(stop / entry - 1)),
        target=numbers.price(target, tick),
        target_move=numbers.signed_percent(float(target / entry - 1)),
        reward=f"{float(abs(target - entry) / risk):.2f}" if risk else numbers.NOTHING,
    )
    return words if resting_stop(position) is not None else f"{words}\n{text('entry.unprotected', language)}"


def _terms(position: Position, language: Language) -> Sequence[Field]:
    plan = position.plan
    size = f"{numbers.quantity(position.entered)} {escaped(plan.instrument.base)}"
    notional = numbers.usdt(position.entered * position.entry_price)
    margin = f"{numbers.usdt(plan.margin)} · {plan.leverage}x {text('margin.isolated', language)}"
    return (
        Field(text("entry.margin", language), margin, inline=True),
        Field(text("entry.size", language), f"{size} ≈ {notional}", inline=True),
        Field(text("entry.risk", language), numbers.signed_usdt(-position.risk), inline=True),
        _reasons(plan.candidate, language),
        _outlook(position, language),
    )


def _reasons(candidate: Candidate, language: Language) -> Field:
    strongest_first = sorted(candidate.factors, key=lambda factor: -factor.points)
    lines = [
        f"`{factor.points:>2.0f}/{factor.weight:.0f}` **{text(f'factor.{factor.name}', language)}** "
        f"{text(factor.reason, language, **dict(factor.numbers))}"
        for factor in strongest_first
    ]
    return Field(text("entry.reasons", language), "\n".join(lines) or numbers.NOTHING)


def _outlook(position: Position, language: Language) -> Field:
    signal = position.plan.signal
    words = text(
        "entry.outlook_text",
        language,
        net_r=numbers.signed_r(signal.expected_net_r),
        rank=signal.rank,
        opened=numbers.ago(position.opened_at or position.plan.planned_at),
    )
    return Field(text("entry.outlook", language), words)


def _account(position: Position, language: Language) -> str:
    return text(
        "close.account",
        language,
        net=numbers.signed_usdt(position.net_pnl),
        gross=numbers.signed_usdt(position.gross_pnl),
        fees=numbers.signed_usdt(-position.fees),
        funding=numbers.signed_usdt(position.funding),
    )


def _ending(notice: PositionEnded, language: Language) -> Sequence[Field]:
    position = notice.position
    record = TradeRecord(position=position, snapshot=EMPTY_SNAPSHOT)
    excursion = f"{numbers.signed_r(record.favourable_r)} / {numbers.signed_r(record.adverse_r)}"
    fields = [
        Field(text("close.reason", language), _exit_word(position.exit_reason, language), inline=True),
        Field(text("close.prices", language), _way(position), inline=True),
        Field(text("close.held", language), _held(position), inline=True),
        Field(text("close.excursion", language), excursion, inline=True),
    ]
    if position.plan.source is Source.REAL:
        fields.append(Field(text("close.day", language), numbers.signed_usdt(notice.day_pnl), inline=True))
    return fields


def _in_words(detail: str, language: Language) -> str:
    """Alerts carry keys of reasons and exits as their text, or words of a person or the exchange."""
    known = messages(language)
    return next((known[key] for key in (f"reason.{detail}", f"exit.{detail}") if key in known), detail)


def _exit_word(reason: ExitReason | None, language: Language) -> str:
    return text(f"exit.{reason}", language) if reason else numbers.NOTHING


def _way(position: Position) -> str:
    tick = position.plan.instrument.tick_size
    exit_price = position.exit_price
    end = numbers.price(exit_price, tick) if exit_price is not None else numbers.NOTHING
    return f"{numbers.price(position.entry_price, tick)} → {end}"


def _held(position: Position) -> str:
    if position.opened_at is None or position.closed_at is None:
        return numbers.NOTHING
    return numbers.duration(position.closed_at - position.opened_at)
