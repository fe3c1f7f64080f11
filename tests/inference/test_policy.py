import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.policy import FLAT, PolicyParameters, decide, held_stance, mixed_sigma, stance_of, stance_probabilities
from sluice.errors import InputError

PARAMETERS = PolicyParameters("return_30s", entry_bps=2.0, strong_bps=4.0, hold_fraction=0.5,
                              regime_caution=(1.0, 1.0, 2.0))
CALM = (1.0, 0.0, 0.0)
WILD = (0.0, 0.0, 1.0)
SIGMAS = (1.0, 3.0, 9.0)

forecasts = st.floats(-1e3, 1e3)
weights = st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3)


def normalised(raw: list[float]) -> tuple[float, ...]:
    total = math.fsum(raw)
    return tuple(value / total for value in raw)


@pytest.mark.parametrize(("forecast", "action"), [
    (0.0, 0), (1.99, 0), (2.0, 1), (3.99, 1), (4.0, 2), (900.0, 2), (-1.99, 0), (-2.0, -1), (-4.0, -2)])
def test_action_is_the_stance_that_the_forecast_falls_into(forecast: float, action: int) -> None:
    assert decide(PARAMETERS, forecast, CALM, SIGMAS, 0.0).action == action


def test_wild_regime_asks_for_a_larger_forecast() -> None:
    assert decide(PARAMETERS, 3.0, CALM, SIGMAS, 0.0).action == 1
    assert decide(PARAMETERS, 3.0, WILD, SIGMAS, 0.0).action == 0


def test_position_is_kept_while_the_forecast_points_its_way() -> None:
    assert decide(PARAMETERS, 1.0, CALM, SIGMAS, 1.0).action == 2
    assert decide(PARAMETERS, 1.0, CALM, SIGMAS, 0.5).action == 1
    assert decide(PARAMETERS, 0.99, CALM, SIGMAS, 1.0).action == 0
    assert decide(PARAMETERS, -1.0, CALM, SIGMAS, 1.0).action == 0
    assert decide(PARAMETERS, -1.0, CALM, SIGMAS, -1.0).action == -2


@pytest.mark.parametrize(("fraction", "stance"), [
    (0.0, 0), (0.2, 0), (0.25, 1), (0.7, 1), (0.75, 2), (1.0, 2), (7.0, 2), (-0.3, -1), (-7.0, -2)])
def test_position_stands_for_the_nearest_stance(fraction: float, stance: int) -> None:
    assert held_stance(fraction) == stance


def test_probabilities_are_those_of_the_normal_distribution() -> None:
    # Reference: tables of the standard normal distribution, Phi(1) = 0.841345, Phi(2) = 0.977250, Phi(3) = 0.998650.
    probabilities = stance_probabilities(1.0, 1.0, 2.0, 3.0)
    assert probabilities == pytest.approx((0.000032, 0.001318, 0.839995, 0.135905, 0.022750), abs=1e-6)


def test_sigma_mixes_variances_by_the_regimes_probabilities() -> None:
    assert mixed_sigma((0.5, 0.5), (3.0, 4.0)) == pytest.approx(math.sqrt(12.5))


def test_without_error_the_forecasts_stance_is_certain() -> None:
    assert stance_probabilities(5.0, 0.0, 2.0, 4.0) == (0.0, 0.0, 0.0, 0.0, 1.0)


@given(forecasts, weights, st.floats(-1.0, 1.0))
def test_probabilities_sum_to_one_and_are_not_negative(forecast: float, raw: list[float], position: float) -> None:
    probabilities = decide(PARAMETERS, forecast, normalised(raw), SIGMAS, position).probabilities
    assert math.fsum(probabilities) == pytest.approx(1.0, abs=1e-12)
    assert all(0.0 <= probability <= 1.0 for probability in probabilities)


@given(forecasts, weights, st.floats(-1.0, 1.0))
def test_mirrored_market_gives_the_mirrored_decision(forecast: float, raw: list[float], position: float) -> None:
    regimes = normalised(raw)
    decision = decide(PARAMETERS, forecast, regimes, SIGMAS, position)
    mirrored = decide(PARAMETERS, -forecast, regimes, SIGMAS, -position)
    assert mirrored.action == -decision.action
    assert mirrored.probabilities == pytest.approx(decision.probabilities[::-1], abs=1e-12)


@given(forecasts, forecasts, weights)
def test_larger_forecast_never_gives_a_smaller_stance(one: float, other: float, raw: list[float]) -> None:
    low, high = sorted((one, other))
    regimes = normalised(raw)
    assert decide(PARAMETERS, low, regimes, SIGMAS, 0.0).action <= decide(PARAMETERS, high, regimes, SIGMAS, 0.0).action


@given(forecasts, weights, st.floats(-1.0, 1.0))
def test_action_never_opposes_the_forecast(forecast: float, raw: list[float], position: float) -> None:
    assert decide(PARAMETERS, forecast, normalised(raw), SIGMAS, position).action * forecast >= 0.0


def test_flat_decision_is_the_certain_zero() -> None:
    assert (FLAT.action, FLAT.probabilities) == (0, (0.0, 0.0, 1.0, 0.0, 0.0))
    assert stance_of(0.0, 1.0, 2.0) == 0


@pytest.mark.parametrize(("entry", "strong", "hold", "caution"), [
    (0.0, 1.0, 0.5, 1.0), (2.0, 2.0, 0.5, 1.0), (1.0, math.inf, 0.5, 1.0), (math.nan, 2.0, 0.5, 1.0),
    (1.0, 2.0, 1.5, 1.0), (1.0, 2.0, 0.5, 0.9), (1.0, 2.0, 0.5, math.nan)])
def test_parameters_without_meaning_are_refused(entry: float, strong: float, hold: float, caution: float) -> None:
    with pytest.raises(InputError, match="must be"):
        PolicyParameters("x", entry, strong, hold, (caution,))
