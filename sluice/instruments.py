"""Instruments: what can be traded and the venue's filters for it, and the catalogue that finds one by key or symbol.

The shipped catalogue (`instruments.toml`) holds a few liquid Binance futures; a configuration file adds or replaces
entries. Live, the venue's exchangeInfo is the truth; this is what a replay and a simulation go by.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum
from importlib import resources
from typing import Self

from sluice.decimals import ZERO, parse_decimal
from sluice.errors import ConfigurationError, InputError, NotFoundError


class Venue(Enum):
    """A place that takes orders. The names are those of the contract's enum without its prefix."""

    BINANCE_USDM = 1
    BINANCE_COINM = 2
    OKX = 3
    BYBIT = 4


class ContractKind(Enum):
    """How a price move becomes money; see `sluice.positions`."""

    LINEAR = 1
    INVERSE = 2


@dataclass(frozen=True, slots=True)
class Instrument:
    """A contract with the venue's filters.

    `contract_size` is base units a contract for linear contracts (1), and quote units a contract for inverse ones.
    Quantities are in base units (linear) or contracts (inverse).
    """

    venue: Venue
    symbol: str
    contract_kind: ContractKind
    base_asset: str
    quote_asset: str
    settlement_asset: str
    contract_size: Decimal
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal
    price_multiplier_up: Decimal
    price_multiplier_down: Decimal

    @property
    def key(self) -> str:
        """Return `VENUE:SYMBOL`, the key of every topic, actor and record."""
        return f"{self.venue.name}:{self.symbol}"

    @property
    def inverse(self) -> bool:
        """Tell whether PnL is paid in the base asset."""
        return self.contract_kind is ContractKind.INVERSE

    def notional(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the absolute value in the quote asset of a quantity at a price.

        Linear: |quantity| * price * contract_size. Inverse: |contracts| * contract_size, whatever the price.
        """
        size = abs(quantity) * self.contract_size
        return size if self.inverse else size * price

    @classmethod
    def from_table(cls, table: Mapping[str, object]) -> Self:
        """Build from a table of a TOML file. Raises `ConfigurationError` with every problem found."""
        problems: list[str] = []
        values: dict[str, object] = {}
        for field in fields(cls):
            try:
                values[field.name] = _value(field.name, field.type, table)
            except InputError as error:
                problems.append(error.message)
        known = {field.name for field in fields(cls)}
        problems += [f"unknown key {key!r} in an instrument" for key in table if key not in known]
        if problems:
            raise ConfigurationError([f"instrument {table.get('symbol', '?')}: {p}" for p in problems])
        return cls(**values)  # type: ignore[arg-type]  # every field was filled by its own type above


def _value(name: str, kind: object, table: Mapping[str, object]) -> object:
    if name not in table:
        raise InputError(f"{name} is missing")
    raw = str(table[name])
    if kind in (Venue, ContractKind):
        enum = Venue if kind is Venue else ContractKind
        if raw not in enum.__members__:
            raise InputError(f"{name} must be one of {', '.join(enum.__members__)}, was {raw!r}")
        return enum[raw]
    if kind is not Decimal:
        return raw
    value = parse_decimal(raw, name)
    if value < ZERO or (value == ZERO and name != "min_notional"):
        raise InputError(f"{name} must be positive, was {raw}")
    return value


class InstrumentCatalog:
    """The instruments that a process knows, found by key or by the venue's symbol."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._by_key = {instrument.key: instrument for instrument in instruments}
        self._by_symbol = {instrument.symbol: instrument for instrument in self._by_key.values()}

    @classmethod
    def shipped(cls) -> Self:
        """Return the catalogue that comes with the project."""
        return cls.from_toml(resources.files("sluice").joinpath("instruments.toml").read_text())

    @classmethod
    def from_toml(cls, toml: str) -> Self:
        """Build from TOML text with `[[instruments]]` tables. Raises `ConfigurationError`."""
        return cls(Instrument.from_table(table) for table in tomllib.loads(toml).get("instruments", []))

    def get(self, key: str) -> Instrument | None:
        """Return the instrument of a key such as `BINANCE_USDM:BTCUSDT`, or None."""
        return self._by_key.get(key)

    def require(self, key: str) -> Instrument:
        """Return the instrument of a key. Raises `NotFoundError`."""
        if (found := self._by_key.get(key)) is None:
            known = ", ".join(sorted(self._by_key))
            raise NotFoundError(f"instrument must be one of {known}, was {key!r}", fix="add it under [[instruments]]")
        return found

    def by_symbol(self, symbol: str) -> Instrument | None:
        """Return the instrument of a venue's symbol such as `BTCUSD_PERP` (exact case), or None."""
        return self._by_symbol.get(symbol)

    def select(self, keys: Iterable[str]) -> "InstrumentCatalog":
        """Return a catalogue of only these keys. Raises `NotFoundError`."""
        return InstrumentCatalog(self.require(key) for key in keys)

    def merged(self, other: "InstrumentCatalog") -> "InstrumentCatalog":
        """Return this catalogue with the other's entries added or replacing these."""
        return InstrumentCatalog([*self, *other])

    def __iter__(self) -> Iterator[Instrument]:
        return iter(sorted(self._by_key.values(), key=lambda instrument: instrument.key))

    def __len__(self) -> int:
        return len(self._by_key)
