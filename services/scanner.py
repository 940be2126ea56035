"""One look at the whole market: load it, judge one complete minute, say what is there. It can not trade."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from core.clock import Clock
from core.instruments import Instrument
from core.market import QUARTER_MS, CandleHistory, MinuteClosed
from core.orders import AccountRead
from core.parameters import Parameters, UniverseParameters
from core.signals import Candidate, RankedSignal, Side
from core.sizing import Prices, prices_on_ticks
from core.symbols import SymbolContext, market_objections
from core.verdicts import Reason
from data.candle_store import CandleStore
from services.bootstrap import BootstrapProgress
from services.chronicle import Chronicle, chronicle
from services.risk_desk import RiskDesk
from services.session import MinuteSource
from services.strategy_engine import StrategyEngine
from strategies.ict_smc import IctSmc
from strategies.ict_smc.explanation import Explanation, Gate, explain
from strategies.kernel.market import MarketKernel

PATIENCE = 3
"""Minutes to wait, once the histories are there, for symbols whose candles are late."""
CONFIDENCE_GATE = "confidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A ranked signal, with its prices on the exchange's ticks where they fit."""

    signal: RankedSignal
    prices: Prices | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """What came near to being a signal; ``candidate`` and its prices where the whole set-up was there."""

    explanation: Explanation
    candidate: Candidate | None = None
    prices: Prices | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The market at ``at`` (ms, a minute's close): signals in order of rank, and the nearest of the rest.

    ``absent`` have no candle of this minute, be it late or their history not to be had.
    """

    at: int
    symbols: int
    ready: int
    absent: tuple[str, ...]
    candidates: int
    elapsed_ms: float
    threshold: float
    offers: tuple[Offer, ...]
    near: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    minute: MinuteClosed
    candidates: tuple[Candidate, ...]
    ranked: tuple[RankedSignal, ...]
    seconds: float


class Scanner:
    """Follows the market as the trader does until one minute is complete, and judges that one."""

    def __init__(
        self,
        kernel: MarketKernel,
        strategy: IctSmc,
        store: CandleStore,
        instruments: Mapping[str, Instrument],
        *,
        engine: StrategyEngine,
        parameters: Parameters,
        clock: Clock,
    ) -> None:
        """``engine`` hosts ``strategy`` on ``kernel``."""
        self._kernel = kernel
        self._strategy = strategy
        self._store = store
        self._instruments = instruments
        self._engine = engine
        self._parameters = parameters
        self._clock = clock
        self._desk = RiskDesk(instruments, store, parameters, trades=False)
        self._quarters: dict[str, CandleHistory] = {}
        self._loading = BootstrapProgress(done=0, failed=0, total=len(engine.axis), seconds=0.0)
        self._judged: _Judged | None = None

    # --- news ---------------------------------------------------------------------------------------

    def account(self, read: AccountRead) -> None:
        """Take the account whose equity decides sizes and leverage."""
        self._desk.account(read)

    def take(self, history: CandleHistory) -> None:
        """Take in the fetched candles of a symbol."""
        self._engine.warm_up(history)
        self._store.load(history)
        if history.timeframe_ms == QUARTER_MS:
            self._quarters[history.symbol] = history

    def progressed(self, progress: BootstrapProgress) -> None:
        """Note how far the first histories are."""
        self._loading = progress

    async def run(self, source: MinuteSource) -> None:
        """Follow ``source`` to the first minute in which all symbols are there that can be.

        Waits at most ``PATIENCE`` minutes for those that are late.
        """
        source.start()
        waited = 0
        try:
            async for minute in source.minutes():
                self.judge(minute)
                if self._loading.done + self._loading.failed < self._loading.total:
                    continue
                waited += 1
                missing = int((~minute.present).sum()) - self._loading.failed
                if missing <= 0 or waited > PATIENCE:
                    return
        finally:
            await source.close()

    def judge(self, minute: MinuteClosed) -> None:
        """Do what the trader does with a closed minute, up to the ranked list."""
        started = self._clock.monotonic()
        self._store.append(minute)
        candidates = tuple(self._engine.on_minute(minute))
        ranked = self._desk.rank(candidates, minute)
        elapsed = self._clock.monotonic() - started
        self._judged = _Judged(minute=minute, candidates=candidates, ranked=ranked, seconds=elapsed)

    # --- what it says -------------------------------------------------------------------------------

    def scan(self, *, near: int) -> Scan:
        """Return what the last minute showed, with at most ``near`` near misses."""
        judged = self._last()
        minute = judged.minute
        return Scan(
            at=minute.at,
            symbols=len(minute.symbols),
            ready=self._engine.ready(),
            absent=tuple(np.array(minute.symbols)[~minute.present].tolist()),
            candidates=len(judged.candidates),
            elapsed_ms=judged.seconds * 1000,
            threshold=self._parameters.ranking.confidence_threshold,
            offers=tuple(Offer(signal=each, prices=self._on_ticks(each.candidate)) for each in judged.ranked),
            near=tuple(islice(self._near(judged), near)),
        )

    def explained(self, symbol: str) -> tuple[Explanation, Explanation]:
        """Explain long and short, threshold and bounds of the market included.

        Raises ``KeyError`` for a symbol that is not scanned.
        """
        index = self._index(symbol)
        minute = self._last().minute
        context = SymbolContext.of(self._instruments[symbol], minute.context, column=index)
        bounds = tuple(_bounds(context, at=minute.seen_at, parameters=self._parameters.universe))
        long, short = (self._explain(index, side) for side in Side)
        return self._with_bounds(long, bounds), self._with_bounds(short, bounds)

    def chronicle(self, symbol: str) -> Chronicle:
        """Tell what the kernel said about a symbol, candle by candle, as far back as its 1m history."""
        self._index(symbol)
        open_times, candles = self._store.recent_1m(symbol, self._store.reach)
        return chronicle(
            symbol,
            open_times,
            candles,
            quarters=self._quarters.get(symbol),
            parameters=self._kernel.parameters,
        )

    # --- inside -------------------------------------------------------------------------------------

    def _last(self) -> "_Judged":
        if self._judged is None:
            raise RuntimeError("no minute has been judged yet")
        return self._judged

    def _index(self, symbol: str) -> int:
        index = self._engine.axis.index_of(symbol)
        if index is None:
            raise KeyError(f"{symbol} is not in this run's universe")
        return index

    def _explain(self, index: int, side: Side) -> Explanation:
        return explain(self._kernel, index, side, self._strategy.parameters)

    def _on_ticks(self, candidate: Candidate) -> Prices | None:
        return prices_on_ticks(candidate, self._instruments[candidate.symbol])

    def _near(self, judged: "_Judged") -> Iterator[NearMiss]:
        """Yield what lacks least, then what scores highest; with the trend, because all else is far away."""
        offered = {signal.candidate.symbol for signal in judged.ranked}
        explained = (
            self._explain(index, Side(side))
            for index, side in self._with_trend()
            if self._engine.axis.names[index] not in offered
        )
        for each in sorted(explained, key=lambda each: (len(each.failed), -each.points, each.symbol)):
            of = (
                found for found in judged.candidates if (found.symbol, found.side) == (each.symbol, each.side)
            )
            candidate = next(of, None)
            prices = self._on_ticks(candidate) if candidate else None
            yield NearMiss(explanation=each, candidate=candidate, prices=prices)

    def _with_trend(self) -> Iterator[tuple[int, int]]:
        """Yield each ready symbol and the side of its trend."""
        for index in np.flatnonzero(self._kernel.ready()).tolist():
            trend = self._kernel.reading(index).trend
            if trend:
                yield index, trend

    def _with_bounds(self, told: Explanation, bounds: tuple[Gate, ...]) -> Explanation:
        threshold = self._parameters.ranking.confidence_threshold
        confidence = Gate(
            name=CONFIDENCE_GATE,
            passed=told.confidence >= threshold,
            numbers=(("confidence", told.confidence), ("points", told.points), ("threshold", threshold)),
        )
        return replace(told, gates=(*told.gates, confidence, *bounds))


def _bounds(context: SymbolContext, *, at: int, parameters: UniverseParameters) -> Iterator[Gate]:
    """Yield the gates of the market itself."""
    objections = set(market_objections(context, at=at, parameters=parameters))
    protect = float(context.instrument.trigger_protect)
    limits = {
        Reason.SPREAD: (("spread", context.spread), ("max_spread", parameters.max_spread)),
        Reason.VOLUME: (
            ("quote_volume_24h", context.quote_volume_24h),
            ("min_quote_volume_24h", parameters.min_quote_volume_24h),
        ),
        Reason.TRIGGER_PROTECT: (
            ("trigger_protect", protect),
            ("min_trigger_protect", float(parameters.min_trigger_protect)),
        ),
        Reason.NOT_IN_UNIVERSE: (),
    }
    for reason, numbers in limits.items():
        yield Gate(name=reason, passed=reason not in objections, numbers=numbers)
