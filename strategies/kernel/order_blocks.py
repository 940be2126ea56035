"""Order blocks: the last opposite candle before a break, validated three ways, followed to its end."""

from strategies.kernel.events import Kind, emit
from strategies.kernel.indicators import candle_of
from strategies.kernel.jit import compiled
from strategies.kernel.parameters import Rules
from strategies.kernel.records import Block, Candle, Chart

FRESH, TOUCHED, MITIGATED, BROKEN = 1, 2, 3, 4


@compiled
def near_side(block: Block) -> float:
    top, bottom = block.top, block.bottom  # both are read, so that the choice needs no jump to mispredict
    return top if block.side > 0 else bottom


@compiled
def far_side(block: Block) -> float:
    top, bottom = block.top, block.bottom
    return bottom if block.side > 0 else top


@compiled
def middle(block: Block) -> float:
    return (block.top + block.bottom) / 2.0


@compiled
def wick_into(block: Block, candle: Candle) -> float:
    """Return the price at which a candle came nearest to the block, or deepest into it."""
    high, low = candle.high, candle.low
    return low if block.side > 0 else high


@compiled
def state_after(block: Block, candle: Candle, age: int) -> int:
    """Return the state that this candle alone would put the block in."""
    if block.side * (wick_into(block, candle) - near_side(block)) > 0.0:
        return FRESH
    if block.side * (candle.close - far_side(block)) < 0.0:
        return BROKEN
    if block.side * (candle.close - middle(block)) < 0.0:
        return MITIGATED
    # The displacement candle leaves the block; only a later one can come back to it.
    return TOUCHED if age > 1 else FRESH


@compiled
def validate(block: Block, candle: Candle, age: int) -> None:
    """Gather what triple validation asks of the candles after the block."""
    if age == 1:
        block.displacement = block.side * (candle.close - candle.open) / block.body
    if block.side * (wick_into(block, candle) - far_side(block)) < 0.0:
        block.held = 0


@compiled
def follow(block: Block, candle: Candle, number: int, rules: Rules) -> bool:
    """Take a candle into account; return whether the block's state changed."""
    age = number - block.label
    if age <= rules.ob_validation_bars:
        validate(block, candle, age)
    state = state_after(block, candle, age)
    if state >= TOUCHED:
        if block.touched_at != number - 1:
            block.visits += 1
        block.touched_at = number
    if state <= block.state:
        return False
    block.state = state
    return True


@compiled
def last_opposite(chart: Chart, side: int, opposite_at: int, rules: Rules) -> int:
    """Return the newest candle before this one that closed against ``side``, back to the opposite point.

    0 when there is none within ``ob_search_bars``.
    """
    oldest = max(opposite_at, chart.number - min(rules.ob_search_bars, chart.bars - 1))
    for number in range(chart.number - 1, oldest - 1, -1):
        candle = candle_of(chart, number)
        if side * (candle.close - candle.open) < 0.0:
            return number
    return 0


@compiled
def form_block(chart: Chart, rules: Rules, side: int, opposite_at: int, strength: float) -> None:
    """Make a block of the last candle against the break, and replay its states up to now."""
    label = last_opposite(chart, side, opposite_at, rules)
    if opposite_at == 0 or label == 0 or not is_new(chart, side, label):
        return
    make_room(chart)
    place = chart.blocks_open
    chart.blocks_open += 1
    block = chart.blocks[place]
    lay_out(block, candle_of(chart, label), side, label)
    chart.block_serial += 1
    block.serial = chart.block_serial
    block.break_at = chart.number
    block.strength = strength
    for number in range(label + 1, chart.number + 1):
        follow(block, candle_of(chart, number), number, rules)
    if chart.number >= label + rules.ob_validation_bars:
        settle(chart, rules, place)


@compiled
def is_new(chart: Chart, side: int, label: int) -> bool:
    """Remember which candle was last made a block of this side; is it another one?"""
    last = chart.bullish_block_at if side > 0 else chart.bearish_block_at
    if side > 0:
        chart.bullish_block_at = label
    else:
        chart.bearish_block_at = label
    return label != last


@compiled
def lay_out(block: Block, candle: Candle, side: int, label: int) -> None:
    """Begin a block: from the low of its candle to the high."""
    block.state = FRESH
    block.side = side
    block.breaker = 0
    block.label = label
    block.born_at = label
    block.known_at = 0
    block.top = candle.high
    block.bottom = candle.low
    block.body = abs(candle.close - candle.open)
    block.displacement = 0.0
    block.held = 1
    block.touched_at = 0
    block.visits = 0
    block.retested_at = 0


@compiled
def make_room(chart: Chart) -> None:
    """When every slot is taken, let the oldest block expire."""
    if chart.blocks_open < len(chart.blocks):
        return
    oldest = 0
    for place in range(1, chart.blocks_open):
        if chart.blocks[place].born_at < chart.blocks[oldest].born_at:
            oldest = place
    drop(chart, oldest, Kind.BLOCK_EXPIRED)


@compiled
def drop(chart: Chart, place: int, kind: int) -> None:
    """Say why a block is no longer followed, and let the last one take its place."""
    report(chart, chart.blocks[place], kind)
    chart.blocks_open -= 1
    chart.blocks[place] = chart.blocks[chart.blocks_open]


@compiled
def report(chart: Chart, block: Block, kind: int) -> None:
    emit(chart, kind, block.side, block.label, (block.bottom, block.top, block.displacement))


@compiled
def settle(chart: Chart, rules: Rules, place: int) -> bool:
    """The block is known now: accept it in the state it has reached, or reject it; return which."""
    block = chart.blocks[place]
    displaced = block.displacement >= rules.ob_min_displacement
    if not displaced or block.held == 0 or block.state == BROKEN:
        drop(chart, place, Kind.BLOCK_REJECTED)
        return False
    block.known_at = chart.number
    report(chart, block, Kind.BLOCK)
    if block.state != FRESH:
        report_state(chart, block)
    return True


@compiled
def report_state(chart: Chart, block: Block) -> None:
    kind = Kind.BLOCK_TOUCHED if block.state == TOUCHED else Kind.BLOCK_MITIGATED
    report(chart, block, kind)


@compiled
def update_blocks(chart: Chart, rules: Rules) -> None:
    """Take the candle that just closed to every block, last slot first: the last replaces one that goes."""
    for place in range(chart.blocks_open - 1, -1, -1):
        update_block(chart, rules, place)


@compiled
def update_block(chart: Chart, rules: Rules, place: int) -> None:
    block = chart.blocks[place]
    changed = follow(block, candle_of(chart, chart.number), chart.number, rules)
    if block.known_at == 0:
        if chart.number < block.label + rules.ob_validation_bars:
            return
        if not settle(chart, rules, place):
            return
    elif chart.number - block.born_at > rules.ob_max_age:
        drop(chart, place, Kind.BLOCK_EXPIRED)
        return
    elif changed and block.state == BROKEN:
        break_block(chart, place)
        return
    elif changed:
        report_state(chart, block)
    note_retest(chart, block)


@compiled
def note_retest(chart: Chart, block: Block) -> None:
    """Note the first return to a block that is known and has broken structure: the one worth trading."""
    if block.retested_at == 0 and block.touched_at == chart.number:
        block.retested_at = chart.number
        report(chart, block, Kind.BLOCK_RETESTED)


@compiled
def break_block(chart: Chart, place: int) -> None:
    """End a block; one that took liquidity before it failed flips side and becomes a breaker, once."""
    block = chart.blocks[place]
    swept_at = chart.swept_above_at if block.side > 0 else chart.swept_below_at
    if block.breaker != 0 or swept_at <= block.label:
        drop(chart, place, Kind.BLOCK_BROKEN)
        return
    report(chart, block, Kind.BLOCK_BROKEN)
    block.breaker = 1
    block.side = -block.side
    block.state = FRESH
    block.break_at = chart.number
    block.born_at = chart.number
    block.touched_at = 0
    block.visits = 0
    block.retested_at = 0
    report(chart, block, Kind.BREAKER)
