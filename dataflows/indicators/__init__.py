"""Indicators: what is computed from the stream for a model to read.

`registry` says what a feature is, `schema` what a row of them is, `light` lists the light set, `schemas` finds every
set. The light set's kernels are `windows` (the last seconds), `wilder` (bars) and `microstructure.best_prices`; the
families of the full set are `technical`, `microstructure`, `statistical`, `session` and `cross_asset`. All are kernels
on records of a fixed dtype; none knows where events come from or what is done with the features.
"""
