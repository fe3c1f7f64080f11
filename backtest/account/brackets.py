"""Leverage brackets: how large a position may be at a leverage, and the maintenance margin of a value.

The value of a position is in its settlement asset: quote notional for linear contracts, coin for inverse ones (where
Binance's table has `qtyFloor` and `qtyCap`). A bracket's `cum` makes the maintenance margin continuous:

    maintenance margin = value * ratio(n) - cum(n)        cum(n) = cum(n-1) + floor(n) * (ratio(n) - ratio(n-1))

Source: Binance, leverage and margin of futures (`GET /fapi/v1/leverageBracket`, `GET /dapi/v2/leverageBracket`).
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Self

from sluice.decimals import MONEY, ZERO
from sluice.errors import InputError
from sluice.instruments import Instrument


@dataclass(frozen=True, slots=True)
class Bracket:
    """One line of the table. `floor` and `cap` are values in the settlement asset; `number` counts from 1."""

    number: int
    initial_leverage: int
    floor: Decimal
    cap: Decimal
    maintenance_ratio: Decimal
    cum: Decimal


@dataclass(frozen=True, slots=True)
class BracketTable:
    """The brackets of a contract in rising order, from 0 without a gap. Raises `InputError` where they are not so."""

    brackets: tuple[Bracket, ...]

    def __post_init__(self) -> None:
        if not self.brackets or self.brackets[0].floor != ZERO:
            raise InputError("a bracket table must start with a floor of 0")
        expected = _with_cum((b.initial_leverage, b.cap, b.maintenance_ratio) for b in self.brackets)
        for found, wanted in zip(self.brackets, expected, strict=True):
            if (found.floor, found.cum) != (wanted.floor, wanted.cum):
                raise InputError(f"bracket {found.number} must have floor {wanted.floor} and cum {wanted.cum}, "
                                 f"was {found.floor} and {found.cum}")

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[int, Decimal, Decimal]]) -> Self:
        """Build from (initial leverage, cap, maintenance ratio); floors and cums follow. Raises `InputError`."""
        return cls(_with_cum(rows))

    @classmethod
    def from_binance(cls, rows: Sequence[Mapping[str, object]]) -> Self:
        """Build from the `brackets` of Binance's leverageBracket answer, either product. Raises `InputError`."""
        try:
            return cls(tuple(_of_binance(row) for row in rows))
        except (KeyError, ArithmeticError, ValueError) as error:
            raise InputError(f"a leverage bracket must be a line of leverageBracket, was wrong at {error}") from error

    @property
    def max_leverage(self) -> int:
        """Return the highest leverage that any position may have."""
        return self.brackets[0].initial_leverage

    def at(self, value: Decimal) -> Bracket:
        """Return the bracket of a value; beyond the last cap the last one."""
        for bracket in self.brackets:
            if value <= bracket.cap:
                return bracket
        return self.brackets[-1]

    def maintenance_margin(self, value: Decimal) -> Decimal:
        """Return the maintenance margin of a position's value, in the settlement asset."""
        bracket = self.at(value)
        return MONEY.subtract(MONEY.multiply(value, bracket.maintenance_ratio), bracket.cum)

    def max_value(self, leverage: int) -> Decimal:
        """Return the largest value that a position may have at a leverage; 0 where no bracket allows the leverage."""
        return max((b.cap for b in self.brackets if b.initial_leverage >= leverage), default=ZERO)


def _with_cum(rows: Iterable[tuple[int, Decimal, Decimal]]) -> tuple[Bracket, ...]:
    brackets: list[Bracket] = []
    floor, cum, ratio, leverage = ZERO, ZERO, ZERO, None
    for number, (initial_leverage, cap, maintenance_ratio) in enumerate(rows, 1):
        if cap <= floor or maintenance_ratio <= ratio or (leverage is not None and initial_leverage >= leverage):
            raise InputError(f"bracket {number} must have a higher cap and ratio and a lower leverage than the one "
                             f"before, was {cap}, {maintenance_ratio} and {initial_leverage}")
        cum += floor * (maintenance_ratio - ratio)
        brackets.append(Bracket(number, initial_leverage, floor, cap, maintenance_ratio, cum))
        floor, ratio, leverage = cap, maintenance_ratio, initial_leverage
    return tuple(brackets)


def _of_binance(row: Mapping[str, object]) -> Bracket:
    def number(*names: str) -> Decimal:
        # The documented COIN-M answer spells its floor "qtylFloor".
        found = [row[name] for name in names if name in row]
        if not found:
            raise KeyError(names[0])
        return Decimal(str(found[0]))

    floor, cap = number("notionalFloor", "qtyFloor", "qtylFloor"), number("notionalCap", "qtyCap")
    return Bracket(int(str(row["bracket"])), int(str(row["initialLeverage"])), floor, cap,
                   Decimal(str(row["maintMarginRatio"])), Decimal(str(row["cum"])))


def shipped_brackets(instrument: Instrument) -> BracketTable:
    """Return the project's own table for an instrument; the general one of its contract kind where it is not named."""
    tables = _shipped()
    return tables.get(instrument.symbol, tables["INVERSE" if instrument.inverse else "LINEAR"])


@cache
def _shipped() -> dict[str, BracketTable]:
    loaded = tomllib.loads(resources.files("backtest.account").joinpath("brackets.toml").read_text())
    return {name: BracketTable.from_rows((row[0], Decimal(row[1]), Decimal(row[2])) for row in rows)
            for name, rows in loaded.items()}
