"""Downloads: complete, within what was asked, and continued where they were interrupted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ExchangeRefused, PerpscoutError
from core.instruments import Instrument, InstrumentStatus
from core.market import DAY_MS, MINUTE_MS, CandleHistory
from data.candle_archive import CandleArchive
from exchange.limits.weight import Allowance, Priority
from services.candle_download import CandleDownload, DownloadProgress, Span, span_of
from tests.builders import instrument
from tests.fakes.virtual_time import VirtualClock, run_virtually

DAY = 20_000 * DAY_MS
NOW = DAY + 2 * DAY_MS
ALLOWED = Allowance(weight=2280, seconds=60.0)


@dataclass
class Market:
    """Knows every candle since ``listed``; ``patience`` pages are answered before it hangs for ever."""

    listed: int = 0
    refused: frozenset[str] = frozenset()
    patience: int = 10**6
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def page(
        self,
        symbol: str,
        timeframe_ms: int,
        *,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        priority: Priority = Priority.SCAN,
    ) -> CandleHistory:
        self.asked.append((symbol, limit))
        if len(self.asked) > self.patience:
            await asyncio.Event().wait()
        if symbol in self.refused:
            raise ExchangeRefused(-1121, "Invalid symbol.")
        last = NOW if end_ms is None else end_ms
        first = last - (limit - 1) * timeframe_ms if start_ms is None else start_ms
        times = np.arange(max(first, self.listed), last + 1, timeframe_ms, dtype=np.int64)[:limit]
        return CandleHistory(
            symbol=symbol, timeframe_ms=timeframe_ms, open_times=times, candles=truth(symbol, times)
        )


def truth(symbol: str, times: np.ndarray) -> np.ndarray:
    opened = 100.0 + ord(symbol[0]) + times // MINUTE_MS % 991
    return np.stack([opened, opened + 2, opened - 2, opened + 1, np.full(len(times), 5.0)])


async def at_once(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return work(*arguments, **named)


def download(
    market: Market,
    folder: Path,
    span: Span,
    *,
    patience: float = 60.0,
    on_progress: Callable[[DownloadProgress], None] = lambda _: None,
) -> tuple[int, CandleDownload]:
    """Run a download for at most ``patience`` seconds; returns what it fetched, -1 when interrupted."""

    async def story() -> tuple[int, CandleDownload]:
        work = CandleDownload(
            market,
            CandleArchive(folder),
            clock=VirtualClock(),
            allowance=ALLOWED,
            on_progress=on_progress,
            beside=at_once,
        )
        try:
            async with asyncio.timeout(patience):
                return await work.run(span), work
        except TimeoutError:
            return -1, work

    return run_virtually(story())


def is_whole(folder: Path, span: Span) -> bool:
    symbols = tuple(span.listed)
    block = CandleArchive(folder).block(MINUTE_MS, span.start_ms, span.end_ms, symbols=symbols)
    times = np.arange(span.start_ms, span.end_ms, MINUTE_MS)
    return all(np.array_equal(block.candles[i], truth(name, times)) for i, name in enumerate(symbols))


SPAN = Span(listed={"AUSDT": 0, "BUSDT": 0}, start_ms=DAY - 100 * MINUTE_MS, end_ms=DAY + 700 * MINUTE_MS)


def test_everything_asked_for_is_downloaded_at_the_best_rate(tmp_path: Path) -> None:
    market = Market()
    fetched, _ = download(market, tmp_path, SPAN)
    assert fetched == 2 * 800
    assert is_whole(tmp_path, SPAN)
    assert max(limit for _, limit in market.asked) == 499
    assert len(market.asked) == 2 * 3


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    download(Market(), tmp_path, SPAN)
    market = Market()
    longer = Span(listed=SPAN.listed, start_ms=SPAN.start_ms, end_ms=SPAN.end_ms + 10 * MINUTE_MS)
    assert download(market, tmp_path, longer)[0] == 2 * 10
    assert market.asked == [("AUSDT", 10), ("BUSDT", 10)]
    assert is_whole(tmp_path, longer)


def test_an_interrupted_download_goes_on_where_it_was(tmp_path: Path) -> None:
    assert download(Market(patience=3), tmp_path, SPAN)[0] == -1
    market = Market()
    assert 0 < download(market, tmp_path, SPAN)[0] < 2 * 800
    assert is_whole(tmp_path, SPAN)


def test_nothing_is_asked_for_from_before_a_listing(tmp_path: Path) -> None:
    market = Market(listed=DAY + 300 * MINUTE_MS)
    span = Span(listed={"AUSDT": market.listed}, start_ms=SPAN.start_ms, end_ms=SPAN.end_ms)
    assert download(market, tmp_path, span)[0] == 400
    assert market.asked == [("AUSDT", 400)]


def test_one_symbol_that_is_refused_does_not_stop_the_others(tmp_path: Path) -> None:
    fetched, work = download(Market(refused=frozenset({"AUSDT"})), tmp_path, SPAN)
    assert fetched == 800
    assert list(work.failed) == ["AUSDT"]


def test_progress_ends_at_the_whole_and_never_promises_more_than_the_limit_allows(tmp_path: Path) -> None:
    heard: list[DownloadProgress] = []
    download(Market(), tmp_path, SPAN, on_progress=heard.append)
    assert heard[-1].done == heard[-1].total == 2 * (2 + 4)
    first = DownloadProgress(done=2280, total=5 * 2280, candles=1, seconds=3.0, allowance=ALLOWED)
    assert first.seconds_left == 180.0


class Exchange:
    async def instruments(self) -> dict[str, Instrument]:
        return {
            "AUSDT": replace(instrument(symbol="AUSDT"), onboard_ms=5),
            "BUSDT": instrument(symbol="BUSDT", status=InstrumentStatus.SETTLING),
        }


def span(symbols: tuple[str, ...], start: int | None, end: int | None) -> Span:
    return asyncio.run(span_of(Exchange(), Market(), symbols, start, end))


def test_all_are_those_that_trade_and_now_is_the_exchanges() -> None:
    assert span((), None, None) == Span(listed={"AUSDT": 5}, start_ms=NOW - DAY_MS, end_ms=NOW)


def test_the_forming_candle_is_never_asked_for() -> None:
    assert span(("BUSDT",), NOW - 30_000, NOW + DAY_MS).end_ms == NOW


@pytest.mark.parametrize(
    ("symbols", "start", "sentence"),
    [
        (("AUSDC",), None, "AUSDC is no USDT perpetual of the exchange; the nearest is AUSDT."),
        ((), NOW + MINUTE_MS, "has not come yet"),
    ],
)
def test_what_can_not_be_downloaded_is_refused_in_a_sentence(
    symbols: tuple[str, ...], start: int | None, sentence: str
) -> None:
    with pytest.raises(PerpscoutError, match=sentence):
        span(symbols, start, None)
