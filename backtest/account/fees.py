"""Trading fees: the rates of an account, by tier and product, or its own.

The tiers are data (`fees.toml`) after Binance's published schedule; a simulation may give an account any rate instead.
Which tier an account has follows from its volume of 30 days; BNB holdings and the discount for paying in BNB are not
simulated.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

from sluice.decimals import ZERO
from sluice.instruments import Venue

DAY_MS: Final = 86_400_000
DAYS_COUNTED: Final = 30


@dataclass(frozen=True, slots=True)
class FeeRates:
    """The shares of a trade's value that its two roles pay; a negative rate is a rebate."""

    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True)
class FeeTier:
    """One tier: from which 30-day volume in USD it holds, and its rates by product."""

    number: int
    least_volume_usd: Decimal
    rates: dict[Venue, FeeRates]


@cache
def fee_tiers() -> tuple[FeeTier, ...]:
    """Return the shipped tiers in rising order of volume; the first holds from 0."""
    loaded = tomllib.loads(resources.files("backtest.account").joinpath("fees.toml").read_text())
    return tuple(_tier(number, row) for number, row in enumerate(loaded["tiers"]))


def _tier(number: int, row: dict[str, str]) -> FeeTier:
    usdm = FeeRates(Decimal(row["usdm_maker"]), Decimal(row["usdm_taker"]))
    coinm = FeeRates(Decimal(row["coinm_maker"]), Decimal(row["coinm_taker"]))
    return FeeTier(number, Decimal(row["least_volume_usd"]), {Venue.BINANCE_USDM: usdm, Venue.BINANCE_COINM: coinm})


def tier_of_volume(volume_usd: Decimal) -> FeeTier:
    """Return the tier of a 30-day volume in USD."""
    return [tier for tier in fee_tiers() if tier.least_volume_usd <= volume_usd][-1]


class FeeMeter:
    """The rates of one account. Custom rates hold for ever; else the tier of the volume of the 30 days before today.

    Volumes are counted by UTC day; today's counts from tomorrow on, as Binance evaluates tiers once a day.
    """

    def __init__(self, custom: Mapping[Venue, FeeRates] | None = None,
                 volumes_usd: Iterable[tuple[int, Decimal]] = ()) -> None:
        self._custom = dict(custom or {})
        self._volumes = dict(volumes_usd)

    @property
    def custom(self) -> tuple[tuple[Venue, FeeRates], ...]:
        """Return the rates that were set for this account."""
        return tuple(sorted(self._custom.items(), key=lambda item: item[0].value))

    @property
    def volumes_usd(self) -> tuple[tuple[int, Decimal], ...]:
        """Return the volumes by day (days since 1970), oldest first."""
        return tuple(sorted(self._volumes.items()))

    def add(self, time_ms: int, volume_usd: Decimal) -> None:
        """Count the quote volume of a trade and forget days that no tier looks at any more."""
        day = time_ms // DAY_MS
        self._volumes[day] = self._volumes.get(day, ZERO) + volume_usd
        if len(self._volumes) > DAYS_COUNTED + 1:
            self._volumes = {d: v for d, v in self._volumes.items() if d >= day - DAYS_COUNTED}

    def tier(self, time_ms: int) -> FeeTier:
        """Return the tier of the volume of the 30 days before the day of a time."""
        today = time_ms // DAY_MS
        counted = (v for day, v in self._volumes.items() if today - DAYS_COUNTED <= day < today)
        return tier_of_volume(sum(counted, ZERO))

    def rates(self, venue: Venue, time_ms: int) -> FeeRates:
        """Return the rates of a product at a time."""
        return self._custom.get(venue) or self.tier(time_ms).rates[venue]
