"""Frames of a synthetic symbol: what the simulation logged, as the JSON that Binance's futures streams send.

Combined-stream envelopes with the venue's field names, order and number formats, fields of 2026 (`nq`, `ps`, `st`)
included. An inverse contract has no klines: their values are in coin, and whoever plays a tape makes them.
A frame is received a few milliseconds after it happened, in order within its stream, as over one socket.
"""

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from backtest.synthetic.draws import Generator, below, generator, lognormal
from backtest.synthetic.klines import Bar, Klines
from backtest.synthetic.ladder import ASKS, BIDS
from backtest.synthetic.market import DEPTHS, MARKS, QUOTES, TRADES, Log, SymbolMarket
from backtest.synthetic.numbers import Notation, product_text
from backtest.synthetic.parameters import SymbolParameters
from dataflows.kernels import Floats, Integers, kernel

#: Median and deviation (of the logarithm) of the time from the venue to the recorder.
LATENCY_MEDIAN_NS = 2_600_000.0
LATENCY_DEVIATION = 0.45
SNAPSHOT_LEVELS = 1_000
FUNDING_INTERVAL_MS = 8 * 3_600_000

#: Receive time, payload.
TimedFrame = tuple[int, str]


class Stream:
    """One stream of a symbol: its name, how long the venue takes to publish, and the order of arrival."""

    def __init__(self, name: str, seed: int, publish_ms: int) -> None:
        self.opening = f'{{"stream":"{name}","data":'
        self._generator = generator(seed, name)
        self._publish_ms = publish_ms
        self._last = np.zeros(2, np.int64)

    def deliver(self, events_ns: Integers) -> list[list[int]]:
        """Return for each event's time: transaction time in ms, event time in ms, receive time in ns."""
        times = np.empty((len(events_ns), 3), np.int64)
        _deliver(times, events_ns, self._generator, self._publish_ms, self._last)
        rows: list[list[int]] = times.tolist()
        return rows


@kernel
def _deliver(times: Integers, events_ns: Integers, state: Generator, publish_ms: int, last: Integers) -> None:
    """Fill the times; `last` has the receive time (ns) and event time (ms) of the last event, which none precedes."""
    for row, event_ns in enumerate(events_ns):
        times[row, 0] = event_ns // 1_000_000
        sent_ms = times[row, 0] + below(state, publish_ms)
        latency = int(lognormal(state, LATENCY_MEDIAN_NS, LATENCY_DEVIATION))
        last[0] = max(last[0] + 1_000, max(event_ns, sent_ms * 1_000_000) + latency)
        last[1] = max(last[1], sent_ms)
        times[row, 1] = last[1]
        times[row, 2] = last[0]


class SymbolFrames:
    """Writes the frames of one symbol, chunk by chunk."""

    def __init__(self, symbol: SymbolParameters, market: SymbolMarket, seed: int) -> None:
        self._symbol = symbol.symbol
        self._pair = symbol.symbol.partition("_")[0]
        self._inverse = symbol.instrument.inverse
        self._family = 2 if self._inverse else 1
        self._bottom = int(market.constants[0]["bottom"])
        self._price = Notation(symbol.instrument.tick_size)
        self._lots = Notation(symbol.instrument.lot_size)
        self._tick = symbol.instrument.tick_size
        self._value_step = symbol.instrument.tick_size * symbol.instrument.lot_size
        lower = self._symbol.lower()
        self._quotes = Stream(f"{lower}@bookTicker", seed, 2)
        self._depths = Stream(f"{lower}@depth@0ms", seed, 3)
        self._trades = Stream(f"{lower}@trade", seed, 2)
        self._aggregates = Stream(f"{lower}@aggTrade", seed, 8)
        self._marks = Stream(f"{lower}@markPrice@1s", seed, 1)
        self._klines = Stream(f"{lower}@kline_1m", seed, 4)
        self._bars = Klines()
        self._mark_average = 0.0

    def of(self, log: Log, end_ns: int) -> Iterator[TimedFrame]:
        """Yield the frames of a chunk that ends at a time, stream by stream."""
        yield from self._quote_frames(log.quotes[: log.counts[QUOTES]])
        yield from self._depth_frames(log)
        trades = log.trades[: log.counts[TRADES]]
        yield from self._trade_frames(trades)
        yield from self._aggregate_frames(trades)
        if not self._inverse:
            yield from self._kline_frames(trades, end_ns)
        yield from self._mark_frames(log.marks[: log.counts[MARKS]])

    def snapshot(self, market: SymbolMarket, now_ns: int) -> TimedFrame:
        """Return a REST depth snapshot of the book as it is: a bare answer, received some 40 ms later."""
        time_ms = now_ns // 1_000_000
        sides = ",".join(f'"{name}":[{self._side(market, side)}]' for name, side in (("bids", BIDS), ("asks", ASKS)))
        head = f'"lastUpdateId":{market.numbers[0]["update_id"]},"E":{time_ms + 2},"T":{time_ms}'
        if self._inverse:
            head += f',"symbol":"{self._symbol}","pair":"{self._pair}"'
        return now_ns + 41_386_500, f"{{{head},{sides}}}"

    def _side(self, market: SymbolMarket, side: int) -> str:
        indices = np.flatnonzero(market.ladder.quantity[side])
        nearest = indices[::-1] if side == BIDS else indices
        levels = [[int(i), int(market.ladder.quantity[side, i])] for i in nearest[:SNAPSHOT_LEVELS]]
        return self._levels(levels)

    def _levels(self, rows: list[list[int]]) -> str:
        price, lots, bottom = self._price.text, self._lots.text, self._bottom
        return ",".join([f'["{price(index + bottom)}","{lots(quantity)}"]' for index, quantity in rows])

    def _quote_frames(self, rows: Integers) -> Iterator[TimedFrame]:
        price, lots, bottom, symbol = self._price.text, self._lots.text, self._bottom, self._symbol
        delivered = self._quotes.deliver(rows[:, 0])
        for (time, sent, received), (_, update, bid, bid_lots, ask, ask_lots) in zip(
            delivered, rows.tolist(), strict=True
        ):
            payload = (
                f'{self._quotes.opening}{{"e":"bookTicker","u":{update},"E":{sent},"T":{time},"s":"{symbol}",'
                f'"ps":"{self._pair}","b":"{price(bid + bottom)}","B":"{lots(bid_lots)}","a":"{price(ask + bottom)}",'
                f'"A":"{lots(ask_lots)}","st":{self._family}}}}}'
            )
            yield received, payload

    def _depth_frames(self, log: Log) -> Iterator[TimedFrame]:
        symbol, rows = self._symbol, log.depths[: log.counts[DEPTHS]]
        for (time, sent, received), (_, first, last, previous, start, bids, asks) in zip(
            self._depths.deliver(rows[:, 0]), rows.tolist(), strict=True
        ):
            levels: list[list[int]] = log.levels[start : start + bids + asks].tolist()
            payload = (
                f'{self._depths.opening}{{"e":"depthUpdate","E":{sent},"T":{time},"s":"{symbol}","ps":"{self._pair}",'
                f'"U":{first},"u":{last},"pu":{previous},"b":[{self._levels(levels[:bids])}],'
                f'"a":[{self._levels(levels[bids:])}],"st":{self._family}}}}}'
            )
            yield received, payload

    def _trade_frames(self, rows: Integers) -> Iterator[TimedFrame]:
        for (time, sent, received), (_, trade, _, index, quantity, sells) in zip(
            self._trades.deliver(rows[:, 0]), rows.tolist(), strict=True
        ):
            payload = (
                f'{self._trades.opening}{{"e":"trade","E":{sent},"T":{time},"s":"{self._symbol}","t":{trade},'
                f'"p":"{self._price.text(index + self._bottom)}","q":"{self._lots.text(quantity)}","X":"MARKET",'
                f'"m":{_boolean(sells)}}}}}'
            )
            yield received, payload

    def _aggregate_frames(self, rows: Integers) -> Iterator[TimedFrame]:
        groups = [list(group) for _, group in groupby(rows.tolist(), key=lambda row: row[2])]
        times = np.array([group[0][0] for group in groups], np.int64)
        for (time, sent, received), group in zip(self._aggregates.deliver(times), groups, strict=True):
            _, first, aggregate, index, _, sells = group[0]
            quantity = self._lots.text(sum(row[4] for row in group))
            without_retail = "" if self._inverse else f'"nq":"{quantity}",'
            payload = (
                f'{self._aggregates.opening}{{"e":"aggTrade","E":{sent},"a":{aggregate},"s":"{self._symbol}",'
                f'"p":"{self._price.text(index + self._bottom)}","q":"{quantity}",{without_retail}"f":{first},'
                f'"l":{group[-1][1]},"T":{time},"m":{_boolean(sells)},"st":{self._family}}}}}'
            )
            yield received, payload

    def _kline_frames(self, rows: Integers, end_ns: int) -> Iterator[TimedFrame]:
        texts: list[str] = []
        times: list[int] = []

        def note(until_ms: int) -> None:
            for time_ms, bar, closed in self._bars.due(until_ms):
                texts.append(self._kline(bar, closed))
                times.append(time_ms * 1_000_000)

        for time, trade, _, index, quantity, sells in rows.tolist():
            note(time // 1_000_000)
            self._bars.on_trade(time // 1_000_000, index + self._bottom, quantity, bool(sells), trade)
        note(end_ns // 1_000_000)
        delivered = self._klines.deliver(np.array(times, np.int64))
        for (_, sent, received), text in zip(delivered, texts, strict=True):
            head = f'"e":"kline","E":{sent},"s":"{self._symbol}"'
            yield received, f'{self._klines.opening}{{{head},"k":{text},"st":{self._family}}}}}'

    def _kline(self, bar: Bar, closed: bool) -> str:
        price, lots = self._price.text, self._lots.text
        value, taker = (product_text(v, self._value_step) for v in (bar.value, bar.taker_buy_value))
        return (
            f'{{"t":{bar.start_ms},"T":{bar.start_ms + 59_999},"s":"{self._symbol}","i":"1m",'
            f'"f":{bar.first_trade_id},"L":{bar.last_trade_id},"o":"{price(bar.open)}","c":"{price(bar.close)}",'
            f'"h":"{price(bar.high)}","l":"{price(bar.low)}","v":"{lots(bar.volume)}","n":{bar.trades},'
            f'"x":{_boolean(closed)},"q":"{value}","V":"{lots(bar.taker_buy_volume)}","Q":"{taker}","B":"0"}}'
        )

    def _mark_frames(self, rows: Floats) -> Iterator[TimedFrame]:
        seconds = rows[:, 0].astype(np.int64)
        for (time, sent, received), (_, fair, middle, pressure) in zip(
            self._marks.deliver(seconds * 1_000_000_000), rows.tolist(), strict=True
        ):
            tick = float(self._tick)
            mark = (0.5 * (fair + middle) + self._bottom) * tick
            index = (fair + self._bottom) * tick * (1.0 - 4e-5)
            self._mark_average = mark if self._mark_average == 0.0 else 0.95 * self._mark_average + 0.05 * mark
            average = "" if self._inverse else f'"ap":"{self._mark_average:.8f}",'
            funding = 1e-4 + 2e-5 * pressure
            payload = (
                f'{self._marks.opening}{{"e":"markPriceUpdate","E":{sent},"s":"{self._symbol}","p":"{mark:.8f}",'
                f'{average}"i":"{index:.8f}","P":"{index * 1.00002:.8f}","r":"{funding:.8f}",'
                f'"T":{(time // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS},"st":{self._family}}}}}'
            )
            yield received, payload


def _boolean(value: int) -> str:
    return "true" if value else "false"
