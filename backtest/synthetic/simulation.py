"""The simulation of one symbol: what its book, quotes and trades do while the hidden state of the market goes on.

An efficient price follows the common factor, its own noise and a drift that is the hidden pressure's. Quotes follow the
price when it has gone too far. Queues at and near the touch are redrawn around a size that the pressure tilts, and
market orders come in bursts (a Hawkes process), more often to the side that the pressure favours. So imbalance and
trade flow tell something true about the next half minute, and nothing else does. The far ends of the book follow the
price, so a tape may be of any length. All times are nanoseconds, prices are ticks above the ladder's bottom, quantities
are lots.
"""

import numpy as np

from backtest.synthetic.draws import below, lognormal, normal, uniform
from backtest.synthetic.ladder import (
    ASKS,
    BIDS,
    CHANGED_CAPACITY,
    Ladder,
    forget_changes,
    is_behind,
    keep_extent,
    move_quotes,
    put,
    queue_lots,
    take,
)
from backtest.synthetic.market import (
    DEPTHS,
    FLUSH_NS,
    LEVELS,
    LONGEST_MOVE,
    MARKS,
    QUOTES,
    TRADES,
    Log,
    SymbolMarket,
)
from backtest.synthetic.parameters import STEP_NS
from backtest.synthetic.paths import STEP_SECONDS, Paths, reverting
from dataflows.kernels import Floats, kernel

#: Hawkes process of market orders: each raises the rate by so much a second, which fades at so much a second.
EXCITATION = 2.4
EXCITATION_FADE = 4.0
#: Redraws a second of the queue at the touch (each side), of one nearby and of one deep in the book.
TOUCH_RATE = 11.0
NEAR_RATE = 60.0
DEEP_RATE = 20.0
#: How far quotes may lag behind the efficient price, in basis points at normal volatility.
LAG_BPS = 0.35
NORMAL_VOLATILITY_BPS = 0.9
#: How far an order of median size moves the efficient price, relative to the volatility of a second.
IMPACT = 0.04
#: Expected sign of a market order at one deviation of the pressure.
FLOW_LEAN = 0.3
#: Deviation of the logarithm of a market order's size.
ORDER_DEVIATION = 1.3


@kernel
def simulate(market: SymbolMarket, paths: Paths, start_ns: int, log: Log) -> None:
    """Simulate a chunk of steps from a time on; write what happened into the log, from its beginning."""
    log.counts[:] = 0
    for step in range(len(paths.regime)):
        market.numbers[0].now_ns = start_ns + step * STEP_NS
        regime = market.regimes[paths.regime[step]]
        pressure = _advance_price(market, regime, paths.factor[step], paths.pressure[step])
        if market.numbers[0].now_ns % 1_000_000_000 < STEP_NS:
            _log_mark(market, log, pressure)
            _follow_with_the_ends(market, regime)
        market.numbers[0].now_ns += below(market.generator, STEP_NS // 2)
        _quote(market, log, regime, pressure)
        _redraw_queues(market, log, regime, pressure)
        _orders(market, log, regime, pressure)
        _flush_if_due(market, log, start_ns + (step + 1) * STEP_NS)


@kernel
def _advance_price(market: SymbolMarket, regime: Floats, factor: float, common: float) -> float:
    """Move the efficient price by a step; return the pressure on this symbol."""
    constants, numbers, state = market.constants[0], market.numbers[0], market.generator
    numbers.pressure = reverting(state, numbers.pressure, constants.fade)
    pressure = 0.6 * common + 0.8 * numbers.pressure
    own = np.sqrt(1.0 - constants.loading * constants.loading) * normal(state)
    noise = (constants.loading * factor + own) * np.sqrt(STEP_SECONDS)
    volatility = regime[0] * constants.volatility * constants.ticks_per_bps
    numbers.price += volatility * (noise + constants.drift * pressure * STEP_SECONDS)
    limit = 0.15 * constants.ticks_per_bps * 10_000.0
    middle = constants.ticks_per_bps * 10_000.0 - constants.bottom
    numbers.price = min(max(numbers.price, middle - limit), middle + limit)
    return float(pressure)


@kernel
def _begin_event(market: SymbolMarket) -> None:
    """Give the next event of the book its time and its update id; ids between belong to other books."""
    numbers = market.numbers[0]
    numbers.now_ns += 1 + below(market.generator, STEP_NS // 16)
    numbers.update_id += 2 + below(market.generator, 40)
    if numbers.window_first_id == 0:
        numbers.window_first_id = numbers.update_id


@kernel
def _publish_quote(market: SymbolMarket, log: Log) -> None:
    """Log the best prices if an event changed them or their size."""
    ladder, numbers = market.ladder, market.numbers[0]
    bid, ask = ladder.best[BIDS], ladder.best[ASKS]
    bid_lots, ask_lots = ladder.quantity[BIDS, bid], ladder.quantity[ASKS, ask]
    if numbers.bid == bid and numbers.bid_lots == bid_lots and numbers.ask == ask and numbers.ask_lots == ask_lots:
        return
    numbers.bid, numbers.bid_lots, numbers.ask, numbers.ask_lots = bid, bid_lots, ask, ask_lots
    row = log.quotes[log.counts[QUOTES]]
    log.counts[QUOTES] += 1
    row[0], row[1], row[2], row[3] = numbers.now_ns, numbers.update_id, bid, bid_lots
    row[4], row[5] = ask, ask_lots


@kernel
def _quote(market: SymbolMarket, log: Log, regime: Floats, pressure: float) -> None:
    """Move the quotes after the efficient price, if it has gone too far from them or they stand too wide."""
    ladder, constants, state = market.ladder, market.constants[0], market.generator
    price = market.numbers[0].price
    wide = ladder.best[ASKS] - ladder.best[BIDS]
    spread = 1 + int(lognormal(state, regime[3] * constants.volatility * constants.ticks_per_bps, 0.7))
    lag = LAG_BPS * constants.ticks_per_bps * np.sqrt(regime[0] / NORMAL_VOLATILITY_BPS) * constants.volatility
    away = abs(price - 0.5 * (ladder.best[BIDS] + ladder.best[ASKS]))
    if away <= max(lag, 0.75) and not (wide > 2 * spread and uniform(state) < 0.02):
        return
    _begin_event(market)
    bid = int(np.floor(price - 0.5 * (spread - 1)))
    bid = min(max(bid, ladder.best[BIDS] - LONGEST_MOVE), ladder.best[BIDS] + LONGEST_MOVE)
    move_quotes(ladder, state, bid, bid + spread, constants.touch_lots * regime[4], pressure, constants.density)
    _publish_quote(market, log)


@kernel
def _redraw_queues(market: SymbolMarket, log: Log, regime: Floats, pressure: float) -> None:
    ladder, constants, state = market.ladder, market.constants[0], market.generator
    lots = constants.touch_lots * regime[4]
    for side in range(2):
        if uniform(state) < TOUCH_RATE * STEP_SECONDS:
            _begin_event(market)
            put(ladder, side, ladder.best[side], queue_lots(state, side, lots, pressure))
            _publish_quote(market, log)
    if uniform(state) < NEAR_RATE * STEP_SECONDS:
        _redraw_behind(market, lots, pressure, 10 + int(3.0 * constants.ticks_per_bps))
    if uniform(state) < DEEP_RATE * STEP_SECONDS:
        _redraw_behind(market, lots, 0.0, constants.extent)


@kernel
def _redraw_behind(market: SymbolMarket, lots: float, pressure: float, reach: int) -> None:
    """Redraw one queue behind the touch, nearer ones more often; some vanish, so that the book keeps its density."""
    state, ladder = market.generator, market.ladder
    side = below(state, 2)
    distance = 1 + int(uniform(state) * uniform(state) * reach)
    index = ladder.best[side] - distance if side == BIDS else ladder.best[side] + distance
    if not is_behind(ladder, side, index):
        return
    _begin_event(market)
    present = uniform(state) < market.constants[0].density
    put(ladder, side, index, queue_lots(state, side, lots, pressure) if present else 0)


@kernel
def _follow_with_the_ends(market: SymbolMarket, regime: Floats) -> None:
    """Cancel what the price has left far behind and place new orders at the book's ends, once a second."""
    constants = market.constants[0]
    _begin_event(market)
    lots = constants.touch_lots * regime[4]
    keep_extent(market.ladder, market.generator, lots, constants.density, constants.extent, LONGEST_MOVE)


@kernel
def _orders(market: SymbolMarket, log: Log, regime: Floats, pressure: float) -> None:
    """Let market orders come at the rate that the regime and the orders just before make."""
    numbers, state = market.numbers[0], market.generator
    numbers.excitation -= EXCITATION_FADE * STEP_SECONDS * numbers.excitation
    for _ in range(2):
        if uniform(state) < 0.5 * STEP_SECONDS * (regime[2] + numbers.excitation):
            numbers.excitation += EXCITATION
            lean = min(max(FLOW_LEAN * pressure, -0.8), 0.8)
            sells = uniform(state) >= 0.5 + 0.5 * lean
            _execute(market, log, BIDS if sells else ASKS, regime, lean)


@kernel
def _execute(market: SymbolMarket, log: Log, side: int, regime: Floats, lean: float) -> None:
    """Execute one market order against a side of the book, over at most four prices.

    Its impact on the efficient price is only what was not to be expected of the flow's lean (Hasbrouck, "Measuring the
    information content of stock trades", 1991): what can be foreseen is the pressure's drift alone.
    """
    constants, state = market.constants[0], market.generator
    _begin_event(market)
    left = max(1, int(lognormal(state, constants.order_lots, ORDER_DEVIATION)))
    size = min(np.sqrt(left / constants.order_lots), 4.0)
    for _ in range(4):
        filled = min(left, market.ladder.quantity[side, market.ladder.best[side]])
        _log_fills(market, log, side, filled)
        take(market.ladder, state, side, filled)
        left -= filled
        if left == 0:
            break
    move = IMPACT * size * regime[0] * constants.volatility * constants.ticks_per_bps
    market.numbers[0].price += move * ((1.0 if side == ASKS else -1.0) - lean)
    _publish_quote(market, log)


@kernel
def _log_fills(market: SymbolMarket, log: Log, side: int, lots: int) -> None:
    """Log the fills of one aggregate trade: one to three resting orders."""
    numbers = market.numbers[0]
    numbers.aggregate_id += 1
    parts = min(lots, 1 + below(market.generator, 2) * (1 + below(market.generator, 2)))
    for part in range(parts, 0, -1):
        share = lots if part == 1 else 1 + below(market.generator, lots - part + 1)
        lots -= share
        numbers.trade_id += 1
        row = log.trades[log.counts[TRADES]]
        log.counts[TRADES] += 1
        row[0], row[1], row[2] = numbers.now_ns, numbers.trade_id, numbers.aggregate_id
        row[3], row[4], row[5] = market.ladder.best[side], share, side == BIDS


@kernel
def _log_mark(market: SymbolMarket, log: Log, pressure: float) -> None:
    row = log.marks[log.counts[MARKS]]
    log.counts[MARKS] += 1
    row[0] = market.numbers[0].now_ns // 1_000_000_000
    row[1] = market.numbers[0].price
    row[2] = 0.5 * (market.ladder.best[BIDS] + market.ladder.best[ASKS])
    row[3] = pressure


@kernel
def _flush_if_due(market: SymbolMarket, log: Log, now_ns: int) -> None:
    """Log the levels that changed since the last time, about every 100 ms, or earlier before there are too many."""
    numbers, ladder = market.numbers[0], market.ladder
    crowded = max(ladder.changes[BIDS], ladder.changes[ASKS]) > CHANGED_CAPACITY - 2 * LONGEST_MOVE
    if now_ns < numbers.next_flush_ns and not crowded:
        return
    numbers.next_flush_ns = now_ns + FLUSH_NS + STEP_NS * (below(market.generator, 3) - 1)
    if numbers.window_first_id == 0:
        return
    row = log.depths[log.counts[DEPTHS]]
    log.counts[DEPTHS] += 1
    row[0], row[1], row[2] = now_ns, numbers.window_first_id, numbers.update_id
    row[3], row[4] = numbers.window_last_id, log.counts[LEVELS]
    row[5], row[6] = _log_levels(ladder, log, BIDS), _log_levels(ladder, log, ASKS)
    numbers.window_last_id, numbers.window_first_id = numbers.update_id, 0
    forget_changes(ladder)


@kernel
def _log_levels(ladder: Ladder, log: Log, side: int) -> int:
    indices = np.sort(ladder.changed[side, : ladder.changes[side]])
    for index in indices:
        row = log.levels[log.counts[LEVELS]]
        log.counts[LEVELS] += 1
        row[0], row[1] = index, ladder.quantity[side, index]
    return len(indices)
