"""The statistical features, in the order in which they are filled, and over which windows each is taken.

Windows of seconds end at the last whole second; a feature of n seconds is made of n one-second log returns. Windows of
bars end at the last closed bar of one minute.
"""

import math

from dataflows.indicators.registry import Clock, Feature, WarmUp

#: Seconds of the windows of returns, and of those that are long enough for what scatters in short ones.
SECONDS = (60, 300, 900)
LONG_SECONDS = (300, 900)
#: Seconds of the sample entropy, whose cost grows with the square of them.
SAMPLE_ENTROPY_SECONDS = 300
#: Seconds of each volatility whose volatility is taken.
VOLATILITY_SPAN_SECONDS = 60
LAGS = (1, 5)
#: Sizes of the boxes of the Hurst exponents; each divides the long windows. More sizes do not make the slopes scatter
#: less.
RESCALED_SIZES = (15, 50, 150)
DETRENDED_SIZES = (10, 20, 50, 100)
HORIZONS = (2, 5, 10)
#: Bars of one minute of the windows of ranges.
MINUTES = (15, 60)

_RETURNS = "mid price at each whole second"
_BARS = "trade bars of one minute"


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _of_returns(
    kind: str, seconds: tuple[int, ...], definition: str, source: str, unit: str, *bounds: float,
) -> tuple[Feature, ...]:
    """Describe a feature of returns over each of its windows; the unit "bps" ends the name too."""
    ending = "_bps" if unit == "bps" else ""
    return tuple(
        Feature(f"{kind}_{window}s{ending}", definition, source, _RETURNS, WarmUp(window, Clock.SECONDS), unit, *bounds)
        for window in seconds
    )


def _of_bars(kind: str, bars_before: int, definition: str, source: str) -> tuple[Feature, ...]:
    return tuple(
        Feature(f"{kind}_volatility_{window}m_bps", definition, source, _BARS,
                WarmUp(window + bars_before, Clock.BARS), "bps", 0.0)
        for window in MINUTES
    )


def _variance_ratios() -> tuple[Feature, ...]:
    features: tuple[Feature, ...] = ()
    source = "Lo and MacKinlay, Review of Financial Studies 1 (1988)"
    for horizon in HORIZONS:
        ratio = f"variance of {horizon}-second returns over {horizon} times that of one second; 1 without memory"
        test = f"that ratio of {horizon} seconds less 1, studentised for changing volatility (z*)"
        features += _of_returns(f"variance_ratio_{horizon}s", LONG_SECONDS, ratio, source, "ratio", 0.0)
        features += _of_returns(f"variance_ratio_z_{horizon}s", LONG_SECONDS, test, source, "standard deviations")
    return features


def _autocorrelations() -> tuple[Feature, ...]:
    features: tuple[Feature, ...] = ()
    for lag in LAGS:
        definition = f"autocorrelation of one-second returns at lag {lag}"
        source = "Box and Jenkins, Time Series Analysis (1970)"
        features += _of_returns(f"autocorrelation_lag_{lag}", SECONDS, definition, source, "ratio", -1.0, 1.0)
    return features


FEATURES: tuple[Feature, ...] = (
    *_of_returns("realised_volatility", LONG_SECONDS, "root of the sum of squared one-second returns",
                 "Andersen and Bollerslev, International Economic Review 39 (1998)", "bps", 0.0),
    *_of_returns("volatility_of_volatility", LONG_SECONDS,
                 f"standard deviation of the realised volatilities of all {VOLATILITY_SPAN_SECONDS} seconds within",
                 "Andersen and Bollerslev, International Economic Review 39 (1998), for the volatility", "bps", 0.0),
    *_of_returns("skewness", SECONDS, "m3 / m2^1.5 of central moments with divisor n", "Fisher's g1", "ratio"),
    *_of_returns("excess_kurtosis", SECONDS, "m4 / m2^2 - 3 of central moments with divisor n", "Fisher's g2", "ratio",
                 -2.0, math.inf),
    *_autocorrelations(),
    *_of_returns("hurst_rescaled_range", LONG_SECONDS,
                 "0.5 plus the slope of log(R/S) less its expectation without memory against log(box), "
                 f"boxes of {_listed(RESCALED_SIZES)}",
                 "Hurst (1951); Anis and Lloyd, Biometrika 63 (1976); Weron, Physica A 312 (2002)", "exponent"),
    *_of_returns("hurst_detrended", LONG_SECONDS,
                 f"slope of log F against log(box), lines taken out (DFA-1), boxes of {_listed(DETRENDED_SIZES)}",
                 "Peng et al., Physical Review E 49 (1994)", "exponent"),
    *_of_returns("shannon_entropy", SECONDS,
                 "entropy of returns in 7 bins that a normal distribution fills equally, over log 7",
                 "Shannon, Bell System Technical Journal 27 (1948)", "ratio", 0.0, 1.0),
    *_of_returns("permutation_entropy", SECONDS, "entropy of the patterns of order of 3 returns, over log 6",
                 "Bandt and Pompe, Physical Review Letters 88 (2002)", "ratio", 0.0, 1.0),
    *_of_returns("sample_entropy", (SAMPLE_ENTROPY_SECONDS,), "-log(A / B), m = 2, r = 0.2 standard deviations",
                 "Richman and Moorman, American Journal of Physiology 278 (2000)", "nats", 0.0),
    *_variance_ratios(),
    *_of_returns("jump_share", LONG_SECONDS, "1 - (pi / 2) bipower variation / realised variance",
                 "Barndorff-Nielsen and Shephard, Journal of Financial Econometrics 4 (2006)", "ratio", -math.inf, 1.0),
    *_of_returns("jump_z", LONG_SECONDS, "that share, studentised by quadpower quarticity; large where prices jumped",
                 "Barndorff-Nielsen and Shephard, Journal of Financial Econometrics 4 (2006)", "standard deviations"),
    *_of_bars("parkinson", 0, "sqrt(mean(log(high / low)^2) / (4 log 2)), of one minute",
              "Parkinson, Journal of Business 53 (1980)"),
    *_of_bars("garman_klass", 0,
              "root of the mean of log(high/low)^2 / 2 - (2 log 2 - 1) log(close/open)^2, a minute",
              "Garman and Klass, Journal of Business 53 (1980)"),
    *_of_bars("yang_zhang", 1, "openings, bodies and Rogers-Satchell ranges weighed for least variance, of one minute",
              "Yang and Zhang, Journal of Business 73 (2000)"),
)
