"""Indicators: what is computed from the stream for a model to read.

`registry` says what a feature is, `schema` names the features and their order, `microstructure` reads the book,
`windows` keeps what happened in the last seconds, `wilder` holds the indicators on bars. All are kernels on records of
a fixed dtype; none knows where events come from or what is done with the features.
"""
