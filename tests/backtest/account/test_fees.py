from itertools import pairwise

from backtest.account import Account, fee_tiers
from backtest.account.fees import DAY_MS, FeeMeter
from sluice.decimals import ZERO
from sluice.instruments import Venue
from sluice.orders import Side
from tests.backtest.account.builders import COIN_POOL, CONTRACTS, NOW_MS, USDT, D, a_fill, an_account


def test_shipped_tiers_rise_in_volume_and_fall_in_rates() -> None:
    tiers = fee_tiers()
    assert [tier.number for tier in tiers] == list(range(10))
    for lower, higher in pairwise(tiers):
        assert lower.least_volume_usd < higher.least_volume_usd
        for venue in (Venue.BINANCE_USDM, Venue.BINANCE_COINM):
            assert higher.rates[venue].maker < lower.rates[venue].maker
            assert higher.rates[venue].taker < lower.rates[venue].taker
            assert higher.rates[venue].maker < higher.rates[venue].taker


def test_regular_account_pays_two_and_five_basis_points() -> None:
    account = Account(CONTRACTS)
    rates = account.fee_rates(Venue.BINANCE_USDM, NOW_MS)
    assert (rates.maker, rates.taker) == (D("0.0002"), D("0.0005"))
    assert account.fee_tier(NOW_MS) == 0


def test_volume_of_a_day_counts_from_the_next_and_for_thirty_days() -> None:
    meter = FeeMeter()
    meter.add(NOW_MS, D("15000000"))
    assert [meter.tier(NOW_MS + day * DAY_MS).number for day in (0, 1, 30, 31)] == [0, 1, 1, 0]


def test_days_out_of_reach_are_forgotten() -> None:
    meter = FeeMeter()
    for day in range(500):
        meter.add(NOW_MS + day * DAY_MS, D(1))
    assert len(meter.volumes_usd) <= 32


def test_tier_of_both_products_follows_from_the_value_in_dollars() -> None:
    account = Account(CONTRACTS)
    for pool in (USDT, COIN_POOL):
        account.transfer(pool, D(1000000), {}, NOW_MS)
    a_fill(account, Side.BUY, "100", "50000")
    a_fill(account, Side.BUY, "100000", "50000", symbol="BTCUSD_PERP")
    tomorrow = NOW_MS + DAY_MS
    assert a_fill(account, Side.SELL, "1", "50000", maker=True).commission == D(10)
    assert a_fill(account, Side.SELL, "1", "50000", maker=True, time_ms=tomorrow).commission == D(8)
    inverse = a_fill(account, Side.SELL, "100", "50000", symbol="BTCUSD_PERP", time_ms=tomorrow)
    assert inverse.commission == D("0.00009")


def test_own_rates_hold_whatever_the_volume_and_a_given_rate_beats_them() -> None:
    account = an_account(usdt="1000000")
    a_fill(account, Side.BUY, "1000", "50000")
    assert a_fill(account, Side.SELL, "1", "50000", time_ms=NOW_MS + DAY_MS).commission == D(25)
    assert a_fill(account, Side.SELL, "1", "50000", fee_rate=ZERO).commission == ZERO
    assert a_fill(account, Side.SELL, "1", "50000", fee_rate=D("-0.0001")).wallet_balance > ZERO
