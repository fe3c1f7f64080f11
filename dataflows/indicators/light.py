"""The light set: the features of one market actor without observers, what the shipped model reads.

Only what the columns mean; the values come from `microstructure`, `windows` and `wilder`. Volumes are in base units
(linear) or contracts (inverse). Windows end at the last whole second of event time.
"""

from dataflows.indicators.registry import Clock, Feature, WarmUp

_BOOK = WarmUp(1, Clock.UPDATES)
_BOOK_SOURCE = "Cartea, Jaimungal and Penalva, Algorithmic and High-Frequency Trading, 2015, chapter 12"
_FLOW_SOURCE = "Hasbrouck, Empirical Market Microstructure, 2007"
_RETURN_SOURCE = "Andersen and Bollerslev, International Economic Review 39, 1998"
_WILDER_SOURCE = "Wilder, New Concepts in Technical Trading Systems, 1978"
#: Wilder's period and one bar for the first change; twice the period for a mean of means.
_WILDER_WARM = WarmUp(15, Clock.BARS)
_DIRECTION_WARM = WarmUp(28, Clock.BARS)


def _imbalance(levels: int) -> Feature:
    best = "the best level" if levels == 1 else f"the best {levels} levels"
    return Feature(
        f"imbalance_{levels}", f"(bid - ask) / (bid + ask) of the quantity of {best}", _BOOK_SOURCE, "book", _BOOK,
        "ratio", -1.0, 1.0)


def _delta(seconds: int) -> Feature:
    return Feature(
        f"cvd_{seconds}s", f"quantity bought less quantity sold by takers in the last {seconds} s", _FLOW_SOURCE,
        "trades", WarmUp(seconds, Clock.SECONDS), "base units")


def _flow(seconds: int) -> Feature:
    return Feature(
        f"flow_imbalance_{seconds}s", f"cvd_{seconds}s over all that was traded in that time; 0 without trades",
        _FLOW_SOURCE, "trades", WarmUp(seconds, Clock.SECONDS), "ratio", -1.0, 1.0)


def _return(seconds: int) -> Feature:
    return Feature(
        f"return_{seconds}s_bps", f"log return of the mid price over the last {seconds} s", _RETURN_SOURCE, "mid price",
        WarmUp(seconds, Clock.SECONDS), "bps")


def _volatility(seconds: int) -> Feature:
    return Feature(
        f"realised_volatility_{seconds}s_bps",
        f"root of the sum of squared one-second log returns of the mid price over {seconds} s, not annualised",
        _RETURN_SOURCE, "mid price", WarmUp(seconds, Clock.SECONDS), "bps", 0.0)


#: In the order of the columns.
LIGHT: tuple[Feature, ...] = (
    Feature("spread_bps", "best ask less best bid, over the mid price", _BOOK_SOURCE, "book", _BOOK, "bps", 0.0),
    *map(_imbalance, (1, 5, 20)),
    Feature("microprice_deviation_bps",
            "mean of the best prices, each weighted with the other side's quantity, less the mid price, over the mid",
            "Gatheral and Oomen, Finance and Stochastics 14, 2010", "book", _BOOK, "bps"),
    *map(_delta, (1, 10, 60)),
    *map(_flow, (1, 10, 60)),
    Feature("trade_rate_10s", "trades a second in the last 10 s", _FLOW_SOURCE, "trades", WarmUp(10, Clock.SECONDS),
            "1/s", 0.0),
    *map(_return, (1, 5, 30, 60)),
    *map(_volatility, (10, 60)),
    Feature("average_true_range", "Wilder's mean of the true range over 14 bars of 1 s", _WILDER_SOURCE, "trades",
            _WILDER_WARM, "price", 0.0),
    Feature("atr_bps", "average_true_range over the mid price", _WILDER_SOURCE, "trades, book", _WILDER_WARM, "bps",
            0.0),
    Feature("adx_14", "average directional index over 14 bars of 1 s", _WILDER_SOURCE, "trades", _DIRECTION_WARM,
            "percent", 0.0, 100.0),
    Feature("rsi_14", "relative strength index over 14 bars of 1 s; 50 where no close has moved", _WILDER_SOURCE,
            "trades", _WILDER_WARM, "percent", 0.0, 100.0),
)
