"""Feature rows of tapes as Parquet, for research and training, by the actors that make them live.

`run` is what `sluice features` does: `rows` reads raw tapes through `lots`, `compiled` and `batch` read compiled ones,
`tables` writes and reads the files. The flow that makes rows while a market runs is `dataflows.features`.
"""
