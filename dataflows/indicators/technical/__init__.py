"""Technical indicators: what bars of one length say of trend, momentum, range and volume.

A file holds the kernels of one indicator or a few of a kind, for any period; `family` keeps the default set as one
record (`TECHNICAL`), `columns` describes it, `batch` computes any of it over arrays with the same kernels, so that a
stream and a history give the same bits. Bars are made elsewhere (`dataflows.bars`).
"""

from dataflows.indicators.technical.columns import features
from dataflows.indicators.technical.family import TECHNICAL, add_bar, fill, restart

__all__ = ["TECHNICAL", "add_bar", "features", "fill", "restart"]
