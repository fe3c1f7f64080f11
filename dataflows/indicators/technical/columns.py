"""What the columns of the technical family are, in the order in which `family.fill` writes them.

Prices are given as their distance from the mid price of the moment and amounts relative to it, in basis points, so
that they mean the same for every instrument; oscillators as they are. They change when a bar closes, distances with
the price too.
"""

from typing import NamedTuple

import numpy as np

from dataflows.indicators.registry import Clock, Feature, WarmUp

#: How a reading becomes a column: as it is; a price, as distance from the mid price; an amount, relative to it.
PLAIN, LEVEL, AMOUNT = 0, 1, 2

#: Bars of the Ichimoku cloud.
CONVERSION, BASE, SPAN, DISPLACEMENT = 9, 26, 52, 26

WILDER = "J. Welles Wilder Jr., New Concepts in Technical Trading Systems, 1978"
APPEL = "Gerald Appel, Power Tools for Active Investors, 2005"
HOSODA = "Goichi Hosoda, Ichimoku Kinko Hyo, 1969"
LANE = "George Lane, Lane's Stochastics, 1984"
SEBAN = "Olivier Seban, SuperTrend; Wilder's average true range"
BOLLINGER = "John Bollinger, Bollinger on Bollinger Bands, 2001"
DONCHIAN = "Richard Donchian, 20-bar channel"
KELTNER = "Chester Keltner, 1960, in Linda Raschke's form"
GRANVILLE = "Joseph Granville, New Key to Stock Market Profits, 1963"
BERKOWITZ = "Berkowitz, Logue and Noser, The Total Cost of Transactions on the NYSE, 1988"
AVERAGES = "John Murphy, Technical Analysis of the Financial Markets, 1999"

#: The distance of a price of 0, in basis points.
NOTHING = -10_000.0

CLOSE, RANGES, TRADED = "close", "high, low, close", "high, low, close, volume"


class Column(NamedTuple):
    """One column before it has a bar length."""

    name: str
    kind: int
    definition: str
    source: str
    inputs: str
    bars: int
    unit: str
    low: float = -np.inf
    high: float = np.inf


def _level(name: str, definition: str, source: str, inputs: str, bars: int, low: float = NOTHING) -> Column:
    text = f"{definition}, less the mid price, relative to the mid price"
    return Column(f"{name}_deviation_bps", LEVEL, text, source, f"{inputs}, mid price", bars, "bps", low)


def _amount(name: str, definition: str, source: str, inputs: str, bars: int, low: float = -np.inf) -> Column:
    text = f"{definition}, relative to the mid price"
    return Column(f"{name}_bps", AMOUNT, text, source, f"{inputs}, mid price", bars, "bps", low)


def _percent(name: str, definition: str, source: str, inputs: str, bars: int) -> Column:
    return Column(name, PLAIN, definition, source, inputs, bars, "percent", 0.0, 100.0)


COLUMNS = (
    _level("sma_20", "mean of the last 20 closes", AVERAGES, CLOSE, 20),
    _level("sma_50", "mean of the last 50 closes", AVERAGES, CLOSE, 50),
    _level("ema_20", "exponential average of the close, weight 2/21, begun as the mean of 20", AVERAGES, CLOSE, 20),
    _level("ema_50", "exponential average of the close, weight 2/51, begun as the mean of 50", AVERAGES, CLOSE, 50),
    _level("vwap_session", "sum of typical price times volume over the volume, of the UTC day or since the first bar "
           "seen; the close before anything was traded", BERKOWITZ, TRADED, 1),
    _percent("rsi_14", "average gain over average gain and loss, Wilder's averages of 14; 50 where nothing moved",
             WILDER, CLOSE, 15),
    _amount("macd_12_26", "exponential average of 12 less that of 26 closes", APPEL, CLOSE, 26),
    _amount("macd_signal_9", "exponential average of 9 of the MACD line", APPEL, CLOSE, 34),
    _amount("macd_histogram", "MACD line less its signal", APPEL, CLOSE, 34),
    _percent("stochastic_k_14_3", "mean of 3 of the close's place between the lowest low and highest high of 14 bars; "
             "50 where they are one", LANE, RANGES, 16),
    _percent("stochastic_d_3", "mean of 3 of slow %K", LANE, RANGES, 18),
    Column("roc_5_bps", PLAIN, "close less the close 5 bars ago, relative to it", AVERAGES, CLOSE, 6, "bps", NOTHING),
    Column("roc_20_bps", PLAIN, "close less the close 20 bars ago, relative to it", AVERAGES, CLOSE, 21, "bps",
           NOTHING),
    _level("ichimoku_conversion_9", "middle of the highest high and lowest low of 9 bars", HOSODA, "high, low",
           CONVERSION),
    _level("ichimoku_base_26", "middle of the highest high and lowest low of 26 bars", HOSODA, "high, low", BASE),
    _level("ichimoku_span_a", "mean of conversion and base line as of 26 bars ago", HOSODA, "high, low",
           BASE + DISPLACEMENT),
    _level("ichimoku_span_b", "middle of the highest high and lowest low of 52 bars as of 26 bars ago", HOSODA,
           "high, low", SPAN + DISPLACEMENT),
    _amount("ichimoku_lagging", "close less the close 26 bars ago", HOSODA, CLOSE, DISPLACEMENT + 1),
    _level("supertrend_10_3", "lower band while the trend rises, upper band while it falls: 3 average true ranges of "
           "10 around the middle of the bar, moving only with the trend", SEBAN, RANGES, 11, -np.inf),
    Column("supertrend_10_3_direction", PLAIN, "1 while the trend rises, -1 while it falls; begins falling", SEBAN,
           RANGES, 11, "sign", -1.0, 1.0),
    _amount("atr_14", "Wilder's average of 14 true ranges", WILDER, RANGES, 15, 0.0),
    _percent("adx_14", "Wilder's average of 14 of the directional indicators' difference over their sum", WILDER,
             RANGES, 28),
    _percent("plus_di_14", "smoothed upward movement over smoothed true range; 0 without range", WILDER, RANGES, 15),
    _percent("minus_di_14", "smoothed downward movement over smoothed true range; 0 without range", WILDER, RANGES,
             15),
    Column("bollinger_20_2_percent_b", PLAIN, "place of the close between 2 standard deviations of 20 below the mean "
           "(0) and above it (1); 0.5 where nothing moved", BOLLINGER, CLOSE, 20, "ratio", -0.6, 1.6),
    Column("bollinger_20_2_bandwidth", PLAIN, "4 standard deviations of 20 closes over their mean", BOLLINGER, CLOSE,
           20, "ratio", 0.0),
    _level("donchian_20_upper", "highest high of 20 bars, the newest included", DONCHIAN, "high", 20),
    _level("donchian_20_lower", "lowest low of 20 bars, the newest included", DONCHIAN, "low", 20),
    Column("donchian_20_position", PLAIN, "place of the close between lower (0) and upper (1) channel; 0.5 where they "
           "are one", DONCHIAN, RANGES, 20, "ratio", 0.0, 1.0),
    _level("keltner_20_10_2_upper", "exponential average of 20 closes plus 2 average true ranges of 10", KELTNER,
           RANGES, 20),
    _level("keltner_20_10_2_lower", "exponential average of 20 closes less 2 average true ranges of 10", KELTNER,
           RANGES, 20, -np.inf),
    Column("keltner_20_10_2_position", PLAIN, "place of the close between lower (0) and upper (1) line; 0.5 where "
           "they are one", KELTNER, RANGES, 20, "ratio"),
    _level("vwap_20", "sum of typical price times volume over the volume of 20 bars; the close where nothing was "
           "traded", BERKOWITZ, TRADED, 20),
    Column("obv_change_20", PLAIN, "sum over 20 bars of the volume, counted up where the close rose and down where it "
           "fell", GRANVILLE, "close, volume", 21, "base units or contracts"),
    Column("obv_balance_20", PLAIN, "the same over the whole volume of the 20 bars; 0 without volume", GRANVILLE,
           "close, volume", 21, "ratio", -1.0, 1.0),
)

#: The kinds of the columns, as a kernel reads them.
KINDS = np.array([column.kind for column in COLUMNS], np.int64)


def features(suffix: str) -> tuple[Feature, ...]:
    """Return the columns of a bar length in their order; every name ends with its suffix, `_1m` for one minute."""
    length = suffix.removeprefix("_")
    return tuple(
        Feature(
            name=column.name + suffix,
            definition=column.definition,
            source=column.source,
            inputs=f"bars of {length}: {column.inputs}",
            warm_up=WarmUp(column.bars, Clock.BARS),
            unit=column.unit,
            low=column.low,
            high=column.high,
        )
        for column in COLUMNS
    )
