"""The same statistics written down again from their papers, with NumPy and SciPy and no care for speed."""

import itertools
import math

import numpy as np
from scipy import special, stats

from dataflows.kernels import Floats


def volatility_of_volatility(returns: Floats, span: int) -> float:
    spans = np.lib.stride_tricks.sliding_window_view(returns, span)
    return float(np.std(np.sqrt((spans**2).sum(axis=1)), ddof=1))


def autocorrelation(values: Floats, lag: int) -> float:
    deviations = values - values.mean()
    return float((deviations[lag:] * deviations[:-lag]).sum() / (deviations**2).sum())


def expected_rescaled_range(size: int) -> float:
    steps = np.arange(1, size)
    gammas = special.gamma((size - 1) / 2) / (math.sqrt(math.pi) * special.gamma(size / 2))
    return float((size - 0.5) / size * gammas * np.sqrt((size - steps) / steps).sum())


def hurst_rescaled_range(values: Floats, sizes: list[int]) -> float:
    heights = []
    for size in sizes:
        ratios = []
        for box in values[values.size % size :].reshape(-1, size):
            profile = np.concatenate([[0.0], np.cumsum(box - box.mean())])
            if box.max() > box.min():
                ratios.append((profile.max() - profile.min()) / box.std())
        heights.append(math.log(np.mean(ratios) / expected_rescaled_range(size)) if ratios else math.nan)
    return 0.5 + float(np.polyfit(np.log(sizes), heights, 1)[0])


def hurst_detrended(values: Floats, sizes: list[int]) -> float:
    profile = np.cumsum(values - values.mean())
    heights = []
    for size in sizes:
        boxes = profile[profile.size % size :].reshape(-1, size)
        places = np.arange(size)
        residuals = [box - np.polyval(np.polyfit(places, box, 1), places) for box in boxes]
        heights.append(math.log(math.sqrt(np.mean(np.concatenate(residuals) ** 2))))
    return float(np.polyfit(np.log(sizes), heights, 1)[0])


def shannon_entropy(values: Floats) -> float:
    edges = stats.norm.ppf(np.arange(1, 7) / 7)
    bins = np.searchsorted(edges, (values - values.mean()) / values.std(), side="right")
    return float(stats.entropy(np.bincount(bins, minlength=7)) / math.log(7))


def permutation_entropy(values: Floats, order: int) -> float:
    patterns = list(itertools.permutations(range(order)))
    spans = np.lib.stride_tricks.sliding_window_view(values, order)
    found = [patterns.index(tuple(np.argsort(span, kind="stable").tolist())) for span in spans]
    return float(stats.entropy(np.bincount(found)) / math.log(math.factorial(order)))


def sample_entropy(values: Floats) -> float:
    tolerance, count = 0.2 * values.std(), values.size - 2
    alike = []
    for length in (2, 3):
        templates = np.array([values[start : start + length] for start in range(count)])
        distances = np.abs(templates[:, None] - templates[None, :]).max(axis=2)
        alike.append(int((distances[np.triu_indices(count, 1)] <= tolerance).sum()))
    return -math.log(alike[1] / alike[0]) if alike[1] else math.nan


def variance_ratio(returns: Floats, horizon: int) -> tuple[float, float]:
    """Follow Lo and MacKinlay step by step: log prices X, drift, the two variances, delta and theta."""
    prices = np.concatenate([[0.0], np.cumsum(returns)])
    size = returns.size
    drift = (prices[-1] - prices[0]) / size
    short = ((np.diff(prices) - drift) ** 2).sum() / (size - 1)
    divisor = horizon * (size - horizon + 1) * (1 - horizon / size)
    long = ((prices[horizon:] - prices[:-horizon] - horizon * drift) ** 2).sum() / divisor
    powers = (np.diff(prices) - drift) ** 2
    theta = 0.0
    for lag in range(1, horizon):
        delta = size * (powers[lag:] * powers[:-lag]).sum() / powers.sum() ** 2
        theta += (2 * (horizon - lag) / horizon) ** 2 * delta
    return float(long / short), float(math.sqrt(size) * (long / short - 1) / math.sqrt(theta))


def jump_test(returns: Floats) -> tuple[float, float]:
    """Follow Barndorff-Nielsen and Shephard over a unit of time, then turn the sign."""
    step, moves = 1 / returns.size, np.abs(returns)
    realised, bipower = (moves**2).sum(), (moves[1:] * moves[:-1]).sum()
    quadpower = (moves[3:] * moves[2:-1] * moves[1:-2] * moves[:-3]).sum() / step
    theta = math.pi**2 / 4 + math.pi - 5
    mean_move = math.sqrt(2 / math.pi)
    ratio = mean_move**-2 * bipower / realised - 1
    statistic = step**-0.5 / math.sqrt(theta * max(1.0, quadpower / bipower**2)) * ratio
    return float(-ratio), float(-statistic)


def yang_zhang(opening: Floats, high: Floats, low: Floats, close: Floats) -> float:
    jumps, bodies = np.log(opening[1:] / close[:-1]), np.log(close / opening)[1:]
    upper, lower = np.log(high / opening)[1:], np.log(low / opening)[1:]
    number = jumps.size
    weight = 0.34 / (1.34 + (number + 1) / (number - 1))
    rogers_satchell = (upper * (upper - bodies) + lower * (lower - bodies)).mean()
    return float(np.sqrt(jumps.var(ddof=1) + weight * bodies.var(ddof=1) + (1 - weight) * rogers_satchell))
