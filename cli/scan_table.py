"""A scan and an explanation as tables for the terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.reasons import TEXTS, factor_text, gate_name, gate_text, strongest
from cli.screen_tables import side_mark
from cli.wording import bar, clock_time, price, signed
from core.signals import Candidate
from core.sizing import Prices
from services.scanner import NearMiss, Offer, Scan
from strategies.ict_smc.explanation import Explanation, Gate, GateName

REASONS = 3
"""Factors shown in a row, the strongest first; all of them are in the explanation and in the JSON."""
NEAR_MARK = "·"
_HEADINGS = ("#", "symbol", "side", "confidence", "exp. ROI", "exp. net R", "lev", "stop", "target", "why")
_LEFT = {"symbol", "side", "confidence", "why"}


def scan_table(scan: Scan, *, top: int, seconds: float) -> RenderableType:
    """Return at most ``top`` rows: signals by rank, then near misses, marked."""
    table = Table(title=_title(scan), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading in _LEFT else "right", no_wrap=heading != "why")
    for offer in scan.offers[:top]:
        table.add_row(*_offer_cells(offer))
    for near in scan.near[: max(0, top - len(scan.offers))]:
        table.add_row(*_near_cells(near, scan.threshold), style="dim")
    return Group(table, Text("\n".join(_footnotes(scan, seconds))))


def _title(scan: Scan) -> str:
    signals = f"{len(scan.offers)} signals" if len(scan.offers) != 1 else "1 signal"
    return f"scan of the minute to {clock_time(scan.at)} UTC: {signals} at {scan.threshold:.0f} or above"


def _offer_cells(offer: Offer) -> tuple[RenderableType, ...]:
    signal, candidate = offer.signal, offer.signal.candidate
    return (
        str(signal.rank),
        candidate.symbol,
        side_mark(candidate.side),
        _confidence(candidate.confidence),
        f"{signal.expected_roi:+.2%}",
        signed(signal.expected_net_r),
        f"×{signal.leverage}" if signal.leverage else "none",
        *_exit_cells(candidate, offer.prices),
        "; ".join(factor_text(factor) for factor in strongest(candidate.factors, REASONS)),
    )


def _near_cells(near: NearMiss, threshold: float) -> tuple[RenderableType, ...]:
    told = near.explanation
    exits = _exit_cells(near.candidate, near.prices) if near.candidate else ("-", "-")
    why = near_text(near, threshold)
    return (
        NEAR_MARK,
        told.symbol,
        side_mark(told.side),
        _confidence(told.points),
        "-",
        "-",
        "-",
        *exits,
        why,
    )


def near_text(near: NearMiss, threshold: float) -> str:
    """Say what kept a near miss from being a signal."""
    told = near.explanation
    lacking = [_lack(told, gate) for gate in told.gates if gate.name in told.lacks]
    if told.points < threshold:
        lacking.append(f"{threshold - told.points:.1f} points")
    return "lacks " + ", ".join(lacking)


def _lack(told: Explanation, gate: Gate) -> str:
    if gate.name == GateName.RETEST and told.block is not None:
        return f"a return to {price(told.block.low)}–{price(told.block.high)}"
    return gate_name(gate.name)


def _exit_cells(candidate: Candidate, prices: Prices | None) -> tuple[str, str]:
    if prices is None:
        return price(candidate.stop), price(candidate.target)
    return price(prices.stop), price(prices.target)


def _confidence(points: float) -> str:
    return f"{bar(points / 100)} {points:.0f}"


def _footnotes(scan: Scan, seconds: float) -> list[str]:
    absent = f"{len(scan.absent)} absent" + (f" ({_listed(scan.absent)})" if scan.absent else "")
    lines = [
        f"{scan.symbols} symbols, {scan.ready} ready, {absent}; {scan.candidates} set-ups;"
        f" {scan.elapsed_ms:.1f} ms from close to ranked list, {seconds:.1f} s with loading"
    ]
    if scan.near:
        lines.append(f"{NEAR_MARK} near miss: not a signal; its score is what its factors add up to")
    lines.append(
        "Expected values come from past records and count costs; without records no edge is expected."
    )
    return lines


def _listed(symbols: tuple[str, ...], *, most: int = 5) -> str:
    rest = len(symbols) - most
    return ", ".join(symbols[:most]) + (f" and {rest} more" if rest > 0 else "")


# --- one symbol -------------------------------------------------------------------------------------


def explanation_table(told: Explanation) -> RenderableType:
    """Return every gate, passed or not, and every factor, with their numbers."""
    title = Text.assemble(f"\n{told.symbol} ", side_mark(told.side), "  ", _verdict(told))
    parts: list[RenderableType] = [title, _gates(told)]
    if told.factors:
        parts.append(_factors(told))
    if told.exits is not None and told.is_setup:
        parts.append(
            Text(
                f"entry {price(told.price)}  stop {price(told.exits.stop)}  target {price(told.exits.target)}"
            )
        )
    return Group(*parts)


def _verdict(told: Explanation) -> str:
    if not told.failed:
        return f"a signal with confidence {told.confidence:.1f}"
    names = ", ".join(gate_name(name) for name in told.failed)
    return f"no trade: {names}"


def _gates(told: Explanation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "gate", "numbers"):
        table.add_column(heading)
    for gate in told.gates:
        mark = Text("✓", style="green") if gate.passed else Text("✗", style="red")
        table.add_row(mark, gate_name(gate.name), gate_text(gate))
    return table


def _factors(told: Explanation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("factor", "grade", "points", "of", "numbers"):
        table.add_column(heading, justify="right" if heading in {"points", "of"} else "left")
    for factor in told.factors:
        table.add_row(
            TEXTS[f"factor.{factor.name}"],
            bar(factor.grade),
            f"{factor.points:.1f}",
            f"{factor.weight:.0f}",
            factor_text(factor),
        )
    table.add_row("sum", bar(told.points / 100), f"{told.points:.1f}", "100", "")
    return table
