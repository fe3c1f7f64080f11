"""The book as the strategy has received it: the lots of every price between the lowest and highest of the data.

A level that crosses the other side hides what it crossed, as the newer is the truer; what was hidden comes back only
when the venue names it. Looking for the next level walks from price to price.
"""

from backtest.kernels import part
from backtest.replay.layout import NEVER
from backtest.replay.memory import ask_at, bid_at
from dataflows.kernels import Record


@part
def next_bid(view: int, of: Record, ticks: int) -> int:
    """Return the best bid at or below a price, 0 where there is none."""
    while ticks >= of.bid_low:
        if bid_at(view, of.depth_offset + ticks).number > 0:
            return ticks
        ticks -= 1
    return 0


@part
def next_ask(view: int, of: Record, ticks: int) -> int:
    """Return the best ask at or above a price, 0 where there is none."""
    while ticks <= of.ask_high:
        if ask_at(view, of.depth_offset + ticks).number > 0:
            return ticks
        ticks += 1
    return 0


@part
def set_bid(view: int, of: Record, ticks: int, lots: int) -> None:
    """Set the lots of a bid; 0 removes it."""
    bid_at(view, of.depth_offset + ticks).number = lots
    if lots == 0:
        if ticks == of.best_bid:
            of.best_bid = next_bid(view, of, ticks)
        return
    of.bid_low = min(of.bid_low, ticks)
    if ticks > of.best_bid:
        of.bid_high = max(of.bid_high, ticks)
        of.best_bid = ticks
        if 0 < of.best_ask <= ticks:
            of.best_ask = next_ask(view, of, ticks + 1)


@part
def set_ask(view: int, of: Record, ticks: int, lots: int) -> None:
    """Set the lots of an ask; 0 removes it."""
    ask_at(view, of.depth_offset + ticks).number = lots
    if lots == 0:
        if ticks == of.best_ask:
            of.best_ask = next_ask(view, of, ticks)
        return
    of.ask_high = max(of.ask_high, ticks)
    if of.best_ask == 0 or ticks < of.best_ask:
        of.ask_low = min(of.ask_low, ticks)
        of.best_ask = ticks
        if of.best_bid >= ticks:
            of.best_bid = next_bid(view, of, ticks - 1)


@part
def clear_bids(view: int, of: Record, down_to: int) -> None:
    """Forget bids from the best down to a price, included."""
    end = max(down_to, of.bid_low)
    for ticks in range(end, of.bid_high + 1):
        bid_at(view, of.depth_offset + ticks).number = 0
    of.bid_high = min(of.bid_high, end - 1)
    of.best_bid = next_bid(view, of, of.bid_high)
    if of.best_bid == 0:
        of.bid_low, of.bid_high = NEVER, 0


@part
def clear_asks(view: int, of: Record, up_to: int) -> None:
    """Forget asks from the best up to a price, included."""
    end = min(up_to, of.ask_high)
    for ticks in range(of.ask_low, end + 1):
        ask_at(view, of.depth_offset + ticks).number = 0
    of.ask_low = max(of.ask_low, end + 1)
    of.best_ask = next_ask(view, of, of.ask_low)
    if of.best_ask == 0:
        of.ask_low, of.ask_high = NEVER, 0
