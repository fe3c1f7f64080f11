"""From settings to the parts of a served exchange: its market, listings, accounts and keys."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from backtest.account import FeeRates
from backtest.account.fees import fee_tiers
from backtest.exchange.core.domain import Product
from backtest.exchange.core.exchange import Exchange
from backtest.exchange.core.exchange import ExchangeSettings as CoreSettings
from backtest.exchange.core.listings import flat_fees, listings_of
from backtest.exchange.core.symbol_matching import FillModel
from backtest.exchange.rest.keys import ALL_PERMISSIONS, ApiKey, KeyRing, Permission
from backtest.exchange.rest.limits import Limits
from backtest.exchange.rest.signatures import HmacVerifier, PublicKeyVerifier
from backtest.exchange.serving.market_input import SyntheticInput, TapeInput
from backtest.matching.state import ImpactModel, QueueModel
from backtest.synthetic.parameters import PRESSURE_DRIFT, symbol_parameters
from sluice.config.exchange import ExchangeSettings
from sluice.errors import ConfigurationError
from sluice.instruments import InstrumentCatalog, Venue

DEFAULT_ACCOUNT: Final = "main"
#: Assets of the USD-M wallet; all others are coins and in the COIN-M wallet.
_DOLLARS: Final = frozenset({"USDT", "USDC", "FDUSD", "BUSD"})
_BASIS_POINTS: Final = Decimal(10_000)


def market_input(settings: ExchangeSettings, catalog: InstrumentCatalog, start_ns: int) -> TapeInput | SyntheticInput:
    """Return the tapes that are configured, or else a synthetic market that begins at a time."""
    if settings.tapes:
        return TapeInput(settings.tapes)
    chosen = settings.synthetic
    symbols = [symbol_parameters(symbol, catalog) for symbol in chosen.symbols]
    return SyntheticInput(symbols, chosen.seed, start_ns, chosen.signal * PRESSURE_DRIFT)


def open_exchange(settings: ExchangeSettings, catalog: InstrumentCatalog, begins_ns: int = 0) -> Exchange:
    """Return an exchange that lists the whole catalogue, with the accounts of all keys opened when its time begins.

    Clients take an asset that was updated at time 0 for one that was never used.
    """
    core = CoreSettings(matching=fill_model(settings), funding_rate=settings.funding_rate, fees=fees(settings))
    exchange = Exchange(listings_of(catalog), core)
    exchange.advance_to(begins_ns)
    for account in sorted({key.account for key in key_ring(settings)} | {DEFAULT_ACCOUNT}):
        exchange.open_account(account, wallets(settings.balances))
    return exchange


def fill_model(settings: ExchangeSettings) -> FillModel:
    """Return how places in queues and the cost of taking are estimated."""
    return FillModel(
        QueueModel[settings.queue_model.upper()], settings.queue_power, ImpactModel[settings.impact_model.upper()],
        settings.impact_ticks, settings.impact_lots)


def fees(settings: ExchangeSettings) -> dict[Venue, FeeRates]:
    """Return the rates of every account: those of the tier that is named, else maker's and taker's."""
    if settings.fee_tier is not None:
        return fee_tiers()[settings.fee_tier].rates
    return flat_fees(settings.maker_fee_bps / _BASIS_POINTS, settings.taker_fee_bps / _BASIS_POINTS)


def wallets(balances: Mapping[str, Decimal]) -> dict[Product, dict[str, Decimal]]:
    """Return starting balances by product."""
    found: defaultdict[Product, dict[str, Decimal]] = defaultdict(dict)
    for asset, amount in balances.items():
        found[Product.USDM if asset in _DOLLARS else Product.COINM][asset] = amount
    return dict(found)


def key_ring(settings: ExchangeSettings) -> KeyRing:
    """Return the keys of all clients. Raises `ConfigurationError` for a key that signs in two ways or is malformed."""
    if both := set(settings.secrets) & set(settings.public_keys):
        raise ConfigurationError(
            [f"exchange.public_keys: a key must sign in one way, {min(both)!r} has a secret too"],
            fix="take it out of exchange.secrets")
    keys = [_key(settings, name, HmacVerifier(secret.get_secret_value())) for name, secret in settings.secrets.items()]
    keys += [_key(settings, name, PublicKeyVerifier.from_pem(pem)) for name, pem in settings.public_keys.items()]
    return KeyRing(keys)


def rules(settings: ExchangeSettings) -> str:
    """Return in one text what decides, besides the market, what a command does: it belongs to a journal's head."""
    accounts = sorted({*settings.accounts.values(), DEFAULT_ACCOUNT})
    balances = {asset: str(amount) for asset, amount in sorted(settings.balances.items())}
    return (f"{fees(settings)}, {fill_model(settings)}, funding {settings.funding_rate}, accounts {accounts}, "
            f"balances {balances}")


def limits(settings: ExchangeSettings) -> Limits:
    """Return the rate limits."""
    return Limits(request_weight_1m=settings.request_weight, orders_10s=settings.orders_10s,
                  orders_1m=settings.orders_minute)


def _key(settings: ExchangeSettings, name: str, verifier: HmacVerifier | PublicKeyVerifier) -> ApiKey:
    permissions = frozenset({Permission.READ}) if name in settings.read_only_keys else ALL_PERMISSIONS
    return ApiKey(name, settings.accounts.get(name, DEFAULT_ACCOUNT), verifier, permissions)
