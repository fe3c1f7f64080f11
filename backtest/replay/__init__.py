"""The compiled backtest: recorded rows against the matching core, with an exchange's side and a strategy's side.

Each side has its own clock. A row takes place at the exchange at one time and is received at another; an order sent at
a time arrives a latency later, and its answer is known a latency after that. Nothing is seen before it is received.

    rows = load_rows([Path("btcusdt.npz")])
    result = Backtest([ReplayAsset.of(instrument, rows)]).run(my_strategy)

Strategies: compiled functions over the hot view (`calls`), or plain Python objects (`objects`). Several instruments,
linear and inverse, in one run. Money is float64; the exact account at the venue is `backtest.account`.

Not here: margin and liquidation (a position may grow without bound), conditional orders, and mark prices other than
those of funding.
"""

from backtest.matching.state import QueueModel
from backtest.replay.assets import FeeRates, MatchingRules, ReplayAsset, funding_events
from backtest.replay.inputs import load_rows
from backtest.replay.latency import OrderLatency
from backtest.replay.layout import BUY, ENDED, FEED, RESPONSE, SELL, TIMED_OUT, HotView
from backtest.replay.limits import Limits
from backtest.replay.objects import PythonStrategy, run_strategy
from backtest.replay.results import AssetSummary, BacktestResult
from backtest.replay.run import Backtest, strategy

__all__ = [
    "BUY", "ENDED", "FEED", "RESPONSE", "SELL", "TIMED_OUT", "AssetSummary", "Backtest", "BacktestResult", "FeeRates",
    "HotView", "Limits", "MatchingRules", "OrderLatency", "PythonStrategy", "QueueModel", "ReplayAsset",
    "funding_events", "load_rows", "run_strategy", "strategy",
]
