"""Answers to people who ask: positions, balance and statistics, from one immutable picture of the trader."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import discord

from bot import numbers
from bot.catalogue import Language, text
from bot.embeds import heading_of
from bot.layout import Card, Field, Style, Tone, embed_of, escaped, pages_of
from core.performance import Evidence, evidence
from core.positions import Position, Stage
from core.risk_state import Ban
from core.views import BalanceView, Performance, PositionView, TraderView, TwinGap, resting_stop

POSITIONS_A_PAGE = 6  # more do not fit a telephone's screen
_VERDICTS = {
    Evidence.EDGE: "stats.positive",
    Evidence.NONE: "stats.no_evidence",
    Evidence.LOSS: "stats.negative",
}


def positions_pages(view: TraderView, style: Style) -> list[discord.Embed]:
    """Return the open positions, real before virtual, as one or more embeds."""
    language = style.language
    shown = (*view.real, *view.virtual)
    title = text("positions.title", language, real=len(view.real), virtual=len(view.virtual))
    card = Card(
        title=title,
        tone=Tone.NOTE,
        at=view.at,
        description=_lines(_halt_line(view, language), _open_line(view, language)),
        fields=[_position_field(each, language) for each in shown],
    )
    return pages_of(card, style, per_page=POSITIONS_A_PAGE)


def balance_embed(view: TraderView, style: Style) -> discord.Embed:
    """Return the account: what it holds, what is bound, how far below its best it stands."""
    language, balance = style.language, view.balance
    state = (
        text("balance.read", language, when=numbers.ago(balance.at))
        if balance
        else text("balance.unknown", language)
    )
    card = Card(
        title=text("balance.title", language),
        tone=Tone.NOTE if balance else Tone.WARNING,
        at=view.at,
        description=_lines(_halt_line(view, language), state),
        fields=_balance_fields(balance, language) if balance else (),
    )
    return embed_of(card, style)


def stats_embed(view: TraderView, style: Style) -> discord.Embed:
    """Return what closed positions brought, with the honest verdict on whether that means anything."""
    language = style.language
    card = Card(
        title=text("stats.title", language),
        tone=Tone.NOTE,
        at=view.at,
        description=_lines(_halt_line(view, language), _scan_line(view, language)),
        fields=(
            _performance_field("source.real", view.performance, language),
            _performance_field("source.virtual", view.virtual_performance, language),
            *_gap_fields(view.twin_gap, language),
        ),
    )
    return embed_of(card, style)


def verdict(performance: Performance, language: Language) -> str:
    """Say in one line what the 95 % interval of the mean net R allows to say, and no more."""
    if performance.net_r_low is None:
        return text("stats.too_few", language)
    return text(_VERDICTS[evidence(performance)], language)


# --- parts ------------------------------------------------------------------------------------------


def _position_field(view: PositionView, language: Language) -> Field:
    position = view.position
    tick = position.plan.instrument.tick_size
    unrealised_r = float(view.unrealised_pnl / position.risk) if position.risk else 0.0
    lines = text(
        "positions.lines",
        language,
        entry=numbers.price(position.entry_price, tick),
        mark=numbers.price(view.mark, tick),
        pnl=numbers.signed_usdt(view.unrealised_pnl),
        roi=numbers.signed_percent(view.roi),
        stop=_stop(position, language),
        target=numbers.price(position.target_price, tick),
        margin=numbers.usdt(position.plan.margin),
        opened=numbers.ago(position.opened_at or position.plan.planned_at),
    )
    name = f"{heading_of(position, language)} {position.plan.leverage}x · {numbers.signed_r(unrealised_r)}"
    return Field(name, _lines(lines, _concern(position, language)))


def _stop(position: Position, language: Language) -> str:
    """Show the stop that rests; what is held without one must not look as if it had one."""
    stop = resting_stop(position)
    if stop is not None:
        return numbers.price(stop, position.plan.instrument.tick_size)
    return text("position.no_stop", language) if position.quantity else numbers.NOTHING


def _concern(position: Position, language: Language) -> str:
    """Say what a person should know about a position that is not simply open and protected."""
    if position.stage is not Stage.OPEN:
        return f"⏳ {text(f'stage.{position.stage}', language)}"
    return "" if position.is_protected else f"⚠️ {text('positions.unprotected', language)}"


def _open_line(view: TraderView, language: Language) -> str:
    if not view.real and not view.virtual:
        return text("positions.none", language)
    total = sum((each.unrealised_pnl for each in view.real), Decimal(0))
    return text("positions.total", language, pnl=numbers.signed_usdt(total))


def _balance_fields(balance: BalanceView, language: Language) -> Sequence[Field]:
    used = float(balance.margin_used / balance.equity) if balance.equity > 0 else 0.0
    drawdown = text(
        "balance.below_peak",
        language,
        drawdown=numbers.percent(balance.drawdown),
        peak=numbers.usdt(balance.peak_equity),
    )
    rows = (
        ("equity", numbers.usdt(balance.equity)),
        ("wallet", numbers.usdt(balance.wallet)),
        ("available", numbers.usdt(balance.available)),
        ("margin", f"{numbers.usdt(balance.margin_used)} ({numbers.percent(used)})"),
        ("drawdown", drawdown),
        ("day", numbers.signed_usdt(balance.day_pnl)),
    )
    return [Field(text(f"balance.{name}", language), value, inline=True) for name, value in rows]


def _performance_field(source: str, performance: Performance, language: Language) -> Field:
    name = text("stats.heading", language, source=text(source, language), closed=performance.closed)
    if not performance.closed:
        return Field(name, text("stats.none", language))
    lines = text(
        "stats.lines",
        language,
        wins=performance.wins,
        losses=performance.losses,
        scratches=performance.scratches,
        win_rate=_known(performance.win_rate, numbers.percent),
        profit_factor=_known(performance.profit_factor, "{:.2f}".format),
        net=numbers.signed_usdt(performance.net_pnl),
        gross=numbers.signed_usdt(performance.gross_pnl),
        fees=numbers.signed_usdt(-performance.fees),
        funding=numbers.signed_usdt(performance.funding),
        mean=_known(performance.mean_net_r, numbers.signed_r),
        interval=_range(performance.net_r_low, performance.net_r_high),
        best=_known(performance.best_r, numbers.signed_r),
        worst=_known(performance.worst_r, numbers.signed_r),
    )
    return Field(name, f"{lines}\n**{verdict(performance, language)}**")


def _gap_fields(gap: TwinGap, language: Language) -> Sequence[Field]:
    """Say how real positions did against the same on paper, once there is something to compare."""
    if gap.mean_r is None:
        return ()
    words = text(
        "stats.gap_lines",
        language,
        mean=numbers.signed_r(gap.mean_r),
        pairs=gap.pairs,
        interval=_range(gap.low, gap.high),
    )
    return (Field(text("stats.gap", language), words),)


def _scan_line(view: TraderView, language: Language) -> str:
    if view.scan is None:
        return text("scan.none", language, loaded=view.loaded, universe=view.universe)
    return text(
        "scan.line",
        language,
        symbols=view.scan.symbols,
        ready=view.scan.ready,
        absent=view.scan.absent,
        ranked=len(view.scan.ranked),
        elapsed=view.scan.elapsed_ms,
        when=numbers.ago(view.scan.at),
    )


def _halt_line(view: TraderView, language: Language) -> str:
    if not view.halted:
        return _barred_line(view.barred, language) if view.barred else ""
    reason = escaped(text(f"reason.{view.halted}", language))
    if not view.halted_until:
        return text("halted.line", language, reason=reason)
    return text("halted.until", language, reason=reason, ends=numbers.ago(view.halted_until))


def _barred_line(ban: Ban, language: Language) -> str:
    """Say what else takes no real entries; what is only followed on paper goes on."""
    reason = text(f"reason.{ban.reason}", language)
    return text("halted.barred", language, reason=reason, ends=numbers.ago(ban.until))


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return numbers.NOTHING
    return f"{numbers.signed_r(low)} … {numbers.signed_r(high)}"


def _known(value: float | None, written: Callable[[float], str]) -> str:
    return numbers.NOTHING if value is None else written(value)


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
