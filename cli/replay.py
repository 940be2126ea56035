"""Sums up a replay."""

from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

from cli.summary import ReplayResult, finish, pnl
from core.positions import Source
from core.trades import TradeRecord
from services.trader import Trader


def finish_replay(
    trader: Trader,
    trades: Sequence[TradeRecord],
    *,
    candles: int,
    seconds: float,
    written: tuple[Path, Path],
    json_wanted: bool,
) -> int:
    """Show what a replay did, and where it is written: trade log, journal.

    ``net_r`` is the mean of all closed trades, real and virtual.
    """
    net_rs = [trade.net_r for trade in trades if trade.source in {Source.REAL, Source.VIRTUAL}]
    trade_log, journal = written
    result = ReplayResult(
        candles=candles,
        seconds=round(seconds, 3),
        candles_per_second=round(candles / seconds, 1) if seconds else 0.0,
        signals=trader.tally.signals,
        trades=trader.tally.real.closed,
        virtual_trades=trader.tally.virtual.closed,
        shadow_trades=trader.tally.shadow.closed,
        net_r=fmean(net_rs) if net_rs else 0.0,
        net_r_se=stdev(net_rs) / sqrt(len(net_rs)) if len(net_rs) > 1 else None,
        net_pnl=float(trader.tally.real.net_pnl),
        decisions_sha256=trader.digest.hexdigest(),
        trade_log=str(trade_log),
        journal=str(journal),
    )
    finish(result, "replay", _rows(result), json_wanted=json_wanted)
    return 0


def _rows(result: ReplayResult) -> dict[str, object]:
    error = f" ± {result.net_r_se:.3f}" if result.net_r_se is not None else ""
    pace = f"{result.seconds:.1f} s, {result.candles_per_second:,.0f} a second"
    closed = f"{result.trades} real for {pnl(result.net_pnl)} net, {result.virtual_trades} virtual"
    return {
        "candles": f"{result.candles:,} in {pace}",
        "signals": result.signals,
        "closed trades": closed,
        "mean net R": f"{result.net_r:+.3f}{error}",
        "decisions": result.decisions_sha256,
        "trade log": result.trade_log,
        "journal": result.journal,
    }
