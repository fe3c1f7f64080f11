"""Income rows: every change of a wallet, with its reason, as Binance's `GET /fapi|dapi/v1/income` tells it.

A wallet's balance is the sum of its rows to the last digit. Rows are kept up to a number, the oldest leave first; the
balance stays.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from backtest.account.contract import Pool


class IncomeKind(Enum):
    """Why a wallet changed; the values are the wire's `incomeType`."""

    TRANSFER = "TRANSFER"
    REALISED_PNL = "REALIZED_PNL"
    COMMISSION = "COMMISSION"
    FUNDING_FEE = "FUNDING_FEE"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"


@dataclass(frozen=True, slots=True)
class Income:
    """One change of a wallet. `amount` is signed; `symbol` and `trade_id` are empty where none is meant."""

    kind: IncomeKind
    pool: Pool
    amount: Decimal
    time_ms: int
    transaction_id: int
    symbol: str = ""
    trade_id: str = ""

    @property
    def asset(self) -> str:
        """Return the asset that the amount is of."""
        return self.pool[1]


class IncomeRows:
    """The rows of one account, in the order in which they were booked. Transaction ids count up from `first_id`."""

    def __init__(self, first_id: int, kept: int) -> None:
        self._next_id = first_id
        self._rows: deque[Income] = deque(maxlen=kept)

    def add(self, kind: IncomeKind, pool: Pool, amount: Decimal, time_ms: int, symbol: str = "",
            trade_id: str = "") -> Income:
        """Book a row and return it."""
        row = Income(kind, pool, amount, time_ms, self._next_id, symbol, trade_id)
        self._next_id += 1
        self._rows.append(row)
        return row

    @property
    def next_id(self) -> int:
        """Return the transaction id of the next row."""
        return self._next_id

    @property
    def updated_ms(self) -> int:
        """Return the time of the latest row, 0 before the first."""
        return self._rows[-1].time_ms if self._rows else 0

    def restore(self, rows: Iterable[Income], next_id: int) -> None:
        """Take the rows and the counter of a snapshot."""
        self._rows.clear()
        self._rows.extend(rows)
        self._next_id = next_id

    def __iter__(self) -> Iterator[Income]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
