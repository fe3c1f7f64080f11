"""The money of an account at a futures venue, exact: wallets, positions, margin, liquidation, funding and fees.

`Account` is the door. It is not an exchange: it matches nothing, knows no order life cycle and reads no clock.
"""

from backtest.account.account import Account
from backtest.account.booking import Fill, FillEffect, FundingEffect
from backtest.account.brackets import Bracket, BracketTable, shipped_brackets
from backtest.account.contract import Contract, Pool
from backtest.account.fees import FeeRates, fee_tiers
from backtest.account.held import HeldPosition, booked
from backtest.account.income import Income, IncomeKind
from backtest.account.margin import PoolFigures, PositionFigures, ProposedOrder, assumed_price, check_notional
from backtest.account.open_orders import OpenOrder
from backtest.account.refusals import Refusal
from backtest.account.state import AccountSnapshot, SymbolSettings

__all__ = [
    "Account",
    "AccountSnapshot",
    "Bracket",
    "BracketTable",
    "Contract",
    "FeeRates",
    "Fill",
    "FillEffect",
    "FundingEffect",
    "HeldPosition",
    "Income",
    "IncomeKind",
    "OpenOrder",
    "Pool",
    "PoolFigures",
    "PositionFigures",
    "ProposedOrder",
    "Refusal",
    "SymbolSettings",
    "assumed_price",
    "booked",
    "check_notional",
    "fee_tiers",
    "shipped_brackets",
]
