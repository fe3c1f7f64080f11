"""The configuration's shape: one frozen model a section, every default in one place.

Numbers that are money, prices or sizes are decimals written as strings. Loading, environment variables, error texts and
redaction are in `sluice.config.loading`; this file only says what there is and what it means. The reference page is
generated from the field descriptions.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from sluice.config.binance import BinanceSettings
from sluice.config.exchange import ExchangeSettings
from sluice.config.features import FeatureSettings
from sluice.config.kafka import KafkaSettings, TopicSettings
from sluice.config.market_source import ExchangeSourceSettings
from sluice.config.section import Address, NotNegative, OptionalPath, Port, Positive, Section


class RunSettings(Section):
    """Where a run keeps its things and which world it trades in."""

    data_dir: Path = Field(Path(".data"), description="Folder for embedded stores, keys, tapes, recovery and reports.")
    namespace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = Field(
        "sluice", description="Prefix of database schemas, Redis keys and topics: runs of different names never meet.")
    environment: Literal["simulated", "testnet", "live"] = Field(
        "simulated", description="Which world orders go to. Part of every approval's audience.")
    clock: Literal["event", "system"] = Field(
        "event",
        description="`event`: services follow the time of the events (replay). `system`: the machine's clock (live).")
    metrics_port: Port = Field(0, description="Prometheus port of the dataflow (`sluice run`); 0 for none.")


class AccountSettings(Section):
    """The account that is traded."""

    name: str = Field("main", min_length=1, description="Part of every approval's audience.")
    balances: dict[str, Positive] = Field(
        default_factory=lambda: {"USDT": Decimal(100_000), "BTC": Decimal(2), "ETH": Decimal(40)},
        description="Starting balance of each settlement asset of a simulated account.")


class SourceSettings(Section):
    """Where market data comes from."""

    kind: Literal["tape", "exchange"] = Field(
        "tape", description="`tape`: recordings. `exchange`: an exchange's streams, see `source.exchange`.")
    tapes: tuple[Path, ...] = Field((), description="Tape files or folders, merged by receive time.")
    instruments: tuple[str, ...] = Field(
        (), description="Keys such as BINANCE_USDM:BTCUSDT; empty for every catalogued instrument that the tape names.")
    tick_interval_ms: Annotated[int, Field(ge=10, le=3_600_000)] = Field(
        1000, description="Event time between two decisions, in milliseconds.")
    batch_lines: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500, description="Tape lines read at once. Changes nothing but speed.")
    exchange: ExchangeSourceSettings = Field(default_factory=ExchangeSourceSettings)

    @property
    def live(self) -> bool:
        """Tell whether the market goes on by itself, by the machine's clock."""
        return self.kind == "exchange" and self.exchange.clock == "system"


class StoreSettings(Section):
    """PostgreSQL and Redis; where a URL is empty, one is started inside the data folder."""

    postgres_url: SecretStr = Field(SecretStr(""), description="postgresql://user:password@host:port/database")
    redis_url: SecretStr = Field(SecretStr(""), description="redis://:password@host:port/0")


class InferenceSettings(Section):
    """The inference service."""

    address: Address = Field("127.0.0.1:50051", description="host:port, or unix:/path/to/socket.")
    bundles: OptionalPath = Field(None, description="Folder of model bundles; empty for the bundle that ships.")
    threads: Annotated[int, Field(ge=1, le=64)] = Field(1, description="ONNX Runtime threads; 1 keeps results exact.")
    metrics_port: Port = Field(0, description="Prometheus port of this service; 0 for none.")


class LimitSettings(Section):
    """What risk allows. Notionals are in the quote currency (USDT for linear, USD for inverse contracts)."""

    max_order_notional: Positive = Field(Decimal(25_000), description="Largest notional of one order.")
    max_position_notional: Positive = Field(
        Decimal(25_000), description="Largest notional of one position with all open orders of one side filled.")
    max_gross_exposure: Positive = Field(
        Decimal(25_000),
        description="Largest sum of absolute position notionals with open orders filled in the worst way.")
    price_collar_bps: Positive = Field(
        Decimal(50), description="Furthest a price may be from the reference price, in basis points.")
    max_orders_per_window: Annotated[int, Field(ge=1)] = Field(30, description="Most approvals in one window.")
    order_window_ms: Annotated[int, Field(ge=1)] = Field(10_000, description="Length of that window in milliseconds.")
    max_data_age_ms: Annotated[int, Field(ge=1)] = Field(
        2_000, description="Oldest market data that a decision may rest on, in milliseconds.")
    max_drawdown_day: Annotated[Decimal, Field(gt=0, le=1)] = Field(
        Decimal("0.03"), description="Fall from the day's highest equity that latches REDUCING, as a fraction.")
    max_drawdown_week: Annotated[Decimal, Field(gt=0, le=1)] = Field(
        Decimal("0.06"), description="The same for the week (from Monday, UTC).")
    risk_per_trade: Annotated[Decimal, Field(gt=0, le=1)] = Field(
        Decimal("0.002"),
        description="Part of equity put at risk by one order when price moves `stop_distance_atr` ATRs.")
    stop_distance_atr: Positive = Field(Decimal(3), description="Distance of the assumed stop, in average true ranges.")
    approval_lifetime_ms: Annotated[int, Field(ge=1, le=2_000)] = Field(
        1_500, description="How long an approval may be used, in milliseconds.")
    market_slippage_bps: Positive = Field(
        Decimal(20), description="Slippage that risk reserves for a market order, in basis points.")


class RiskSettings(Section):
    """The risk service."""

    address: Address = Field("127.0.0.1:50052", description="host:port, or unix:/path/to/socket.")
    key_dir: OptionalPath = Field(None, description="Folder of the signing key; empty for `keys` in the data folder.")
    metrics_port: Port = Field(0, description="Prometheus port of this service; 0 for none.")
    limits: LimitSettings = Field(default_factory=LimitSettings)


class SimulatedVenueSettings(Section):
    """The simulated venue, which fills against a tape's book."""

    order_latency_ms: Annotated[int, Field(ge=1, le=10_000)] = Field(
        5, description="Time from sending an order to its arrival at the venue, in milliseconds.")
    maker_fee_bps: NotNegative = Field(Decimal(2), description="Fee of a resting order's fill, in basis points.")
    taker_fee_bps: NotNegative = Field(Decimal(5), description="Fee of a taking order's fill, in basis points.")


class ExecutionSettings(Section):
    """The execution service."""

    address: Address = Field("127.0.0.1:50053", description="host:port, or unix:/path/to/socket.")
    execution_id: str = Field("execution-1", min_length=1, description="Part of every approval's audience.")
    venue: str = Field("simulated", description="Name of a registered venue (entry point group `sluice.venues`).")
    public_key_dir: OptionalPath = Field(
        None, description="Folder of risk's public keys; empty for `keys` in the data folder.")
    metrics_port: Port = Field(0, description="Prometheus port of this service; 0 for none.")
    doubt_ms: Annotated[int, Field(ge=50, le=600_000)] = Field(
        1_000, description="How long a live venue may owe a word about an order before it is asked, in milliseconds; "
                           "the pause doubles with each question.")
    resting_question_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        60, description="Seconds between two questions to a live venue about an order that rests.")
    account_question_s: Annotated[int, Field(ge=1, le=3_600)] = Field(
        30, description="Seconds between two comparisons of a live venue's positions and open orders with the journal; "
                        "where they differ, only orders that reduce a position are sent.")
    accept_account: bool = Field(
        False, description="Whether to serve although the live venue's account differs from the journal at the start.")
    simulated: SimulatedVenueSettings = Field(default_factory=SimulatedVenueSettings)


class StrategySettings(Section):
    """The shipped strategy: it follows the model's action with a target position."""

    name: str = Field("follow", min_length=1, description="Part of every intent id.")
    unit_notional: Positive = Field(
        Decimal(10_000), description="Notional of one unit of action; action 2 aims at two units.")
    order_patience_ticks: Annotated[int, Field(ge=1)] = Field(
        5, description="Ticks that a resting order is left before it is cancelled.")
    holding_ticks: Annotated[int, Field(ge=1)] = Field(
        30, description="Ticks after which a position is closed whatever the model says.")


class TelemetrySettings(Section):
    """What a process tells about itself."""

    metrics_host: str = Field(
        "127.0.0.1", min_length=1,
        description="Host at which every process serves its metrics, where it has a `metrics_port`; `0.0.0.0` for all.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe line written.")


class Settings(Section):
    """The whole configuration."""

    run: RunSettings = Field(default_factory=RunSettings)
    account: AccountSettings = Field(default_factory=AccountSettings)
    source: SourceSettings = Field(default_factory=SourceSettings)
    features: FeatureSettings = Field(default_factory=FeatureSettings)
    stores: StoreSettings = Field(default_factory=StoreSettings)
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    topics: TopicSettings = Field(default_factory=TopicSettings)
    inference: InferenceSettings = Field(default_factory=InferenceSettings)
    risk: RiskSettings = Field(default_factory=RiskSettings)
    execution: ExecutionSettings = Field(default_factory=ExecutionSettings)
    binance: BinanceSettings = Field(default_factory=BinanceSettings)
    strategy: StrategySettings = Field(default_factory=StrategySettings)
    exchange: ExchangeSettings = Field(default_factory=ExchangeSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
    instruments: tuple[dict[str, str], ...] = Field(
        (), description="[[instruments]] tables that add to the shipped catalogue or replace entries of it.")
