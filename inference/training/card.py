"""The bundle's card: what it is, what it is not, and how it did on rows it had not seen."""

from collections.abc import Mapping, Sequence

from inference.manifest import Manifest
from inference.training.calibration import Costs

_TEMPLATE = """# {name}

A model bundle of Sluice: a regime model, forecasts of short-horizon returns, and a policy from both to an action.

## What it is not

It is not a trading edge, and no edge on real markets is claimed. It was trained on {trained_on};
whatever it finds there need not exist anywhere else, and the figures below are of that alone. It knows nothing of the
account, of fees paid or of other instruments. How much may be traded is decided by risk, which does not ask the model.

## What it is

| | |
|---|---|
| trained on | {trained_on} |
| instruments | {instruments} |
| last event of the tape | {trained_at} |
| feature schema | {schema_name} version {schema_version}, {schema_hash} |
{left_out}| regimes | {regimes}: a Gaussian mixture over volatility, spread and trend, ordered by volatility |
| forecasts | {horizons}: boosted trees for the mid price's return, in multiples of the row's own volatility |
| policy | acts on {policy_horizon} from {entry_bps} bps, strongly from {strong_bps} bps |
| caution | the thresholds are multiplied by {caution} in the regimes |

{cost_note}

A row of which any feature{of_inputs} is not valid gets no prediction.

## Out of sample

The tape is cut by time into fit, calibration and test parts, purged of labels that reach over a border, with an
embargo of the longest horizon. Only test rows are counted here. `rmse_ratio` compares with a forecast of zero: below 1
is better than knowing nothing. Rows overlap, so the figures are less certain than their number suggests.

{metrics}
"""


def card_of(manifest: Manifest, costs: Costs, instruments: Sequence[str]) -> str:
    """Return the card as Markdown. It does not name the version, which depends on the card."""
    policy = manifest.policy
    return _TEMPLATE.format(
        name=manifest.name, trained_on=manifest.trained_on, instruments=", ".join(instruments),
        trained_at=manifest.trained_at, schema_name=manifest.schema.name, schema_version=manifest.schema.version,
        schema_hash=manifest.schema.hash, left_out=_left_out(manifest),
        of_inputs=" that is not left out" if manifest.inputs else "", regimes=", ".join(manifest.regimes),
        horizons=", ".join(horizon.name for horizon in manifest.horizons), policy_horizon=policy.horizon,
        entry_bps=policy.entry_bps, strong_bps=policy.strong_bps,
        caution=", ".join(str(caution) for caution in policy.regime_caution),
        cost_note=_cost_note(policy.entry_bps, costs),
        metrics=_table(manifest.metrics))


def _left_out(manifest: Manifest) -> str:
    if not manifest.inputs:
        return ""
    rare = [name for name in manifest.schema.features if name not in manifest.inputs]
    return f"| left out, as rarely valid on the tape | {', '.join(rare)} |\n"


def _cost_note(entry_bps: float, costs: Costs) -> str:
    fees = f"{costs.resting_bps:g} bps of fees for a round trip that rests both ways"
    if entry_bps >= costs.resting_bps:
        return (f"The thresholds are {fees}, and {costs.taking_bps:g} bps for one that takes both ways. Spread and "
                "slippage are not in them: a forecast that just reaches its threshold earns nothing.")
    return (f"The entry threshold is below the {fees}: forecasts hardly ever reach that, and the policy would not "
            "trade. Expect it to lose the difference.")


def _table(metrics: Mapping[str, Mapping[str, float]]) -> str:
    lines = ["| | figure | value |", "|---|---|---|"]
    lines += [f"| {of} | {figure} | {value:g} |"
              for of, figures in sorted(metrics.items()) for figure, value in sorted(figures.items())]
    return "\n".join(lines)
