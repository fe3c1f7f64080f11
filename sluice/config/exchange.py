"""Settings of the simulated exchange that `sluice serve exchange` runs: its market, its time, its accounts and keys."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from sluice.config.section import Address, NotNegative, OptionalPath, Port, Positive, Section


class SyntheticMarketSettings(Section):
    """The market that is made up while it runs, where there is no tape."""

    seed: int = Field(7, description="The same seed makes the same market.")
    symbols: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BTCUSD_PERP"), description="Contracts of the catalogue, of both products.")
    signal: Annotated[float, Field(ge=0, le=5)] = Field(1.0, description="How much the book foretells; 0: nothing.")


class ExchangeSettings(Section):
    """The simulated exchange (`sluice serve exchange`)."""

    # Below the range from which the system gives ports to outgoing connections: one of those may not take it.
    address: Address = Field(
        "127.0.0.1:15080", description="host:port of REST, streams and the WebSocket order API together.")
    tapes: tuple[Path, ...] = Field((), description="Tape files or folders that are its market; none for a synthetic.")
    synthetic: SyntheticMarketSettings = Field(default_factory=SyntheticMarketSettings)
    pace: Annotated[str, Field(pattern=r"^(realtime|max|lockstep|\d+(\.\d+)?x)$")] = Field(
        "realtime", description="`realtime`, `<N>x`, `max` (as fast as clients read) or `lockstep` (clients move it).")
    time: Literal["", "now", "recorded"] = Field(
        "", description="`now`: every time is shifted so that the tape begins now. `recorded`: as it is. Empty: now "
                        "where time runs by the machine's clock, else recorded.")
    start_after_s: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Seconds of the tape that are played at once at the start.")
    at_end: Literal["stay", "loop", "exit"] = Field(
        "stay", description="At the tape's end: `stay` with a silent market, `loop` with shifted times, or `exit`.")
    order_latency_ms: Annotated[int, Field(ge=0, le=10_000)] = Field(
        5, description="Time from sending an order to its arrival at the matching, in milliseconds.")
    maker_fee_bps: NotNegative = Field(Decimal(2), description="Fee of a resting order's fill, in basis points.")
    taker_fee_bps: NotNegative = Field(Decimal(5), description="Fee of a taking order's fill, in basis points.")
    fee_tier: Annotated[int, Field(ge=0, le=9)] | None = Field(
        None, description="Tier of the fee schedule (0 regular, 1 to 9 VIP) in place of both rates; empty for none.")
    funding_rate: Annotated[Decimal, Field(ge=Decimal("-0.03"), le=Decimal("0.03"))] = Field(
        Decimal("0.0001"), description="Funding rate of perpetual contracts whose market names none, a share of the "
                                       "position's value, settled at 0, 8 and 16 o'clock UTC.")
    queue_model: Literal["risk_averse", "power", "power_2", "power_3", "log", "log_2"] = Field(
        "risk_averse", description="How far a resting order moves forward where others cancel: not at all, or by a "
                                   "probability that the place in the queue gives, as a power or logarithm of the "
                                   "quantities before and behind it.")
    queue_power: Annotated[float, Field(gt=0, le=100)] = Field(3.0, description="Exponent of the power queue models.")
    impact_model: Literal["none", "linear", "square_root"] = Field(
        "none", description="How much worse than the displayed levels a taker pays, by what it took so far.")
    impact_ticks: Annotated[float, Field(ge=0, le=1_000_000)] = Field(
        0.0, description="What a taker of `impact_lots` pays more, in ticks.")
    impact_lots: Annotated[float, Field(gt=0)] = Field(1.0, description="See `impact_ticks`.")
    secrets: dict[str, SecretStr] = Field(
        default_factory=lambda: {"sluice-simulated-key": SecretStr("sluice-simulated-secret")},
        description="HMAC secret of each API key. The default one protects nothing.")
    public_keys: dict[str, str] = Field(
        default_factory=dict, description="Public key in PEM, Ed25519 or RSA, of each API key that signs with one.")
    accounts: dict[str, str] = Field(
        default_factory=dict, description="Account of each API key; `main` for a key that is not named here.")
    read_only_keys: tuple[str, ...] = Field((), description="API keys that may look and not trade.")
    balances: dict[str, Positive] = Field(
        default_factory=lambda: {"USDT": Decimal(100_000), "BTC": Decimal(2), "ETH": Decimal(40)},
        description="What every account starts with: USDT and USDC in the USD-M wallet, coins in the COIN-M wallet.")
    control_token: SecretStr = Field(
        SecretStr(""), description="Token of /sluice/v1 for callers from elsewhere than this machine; empty for none.")
    journal: OptionalPath = Field(
        None, description="File of commands from which the exchange is rebuilt after a crash; empty for none.")
    request_weight: Annotated[int, Field(ge=1)] = Field(2_400, description="Request weight an address has a minute.")
    orders_10s: Annotated[int, Field(ge=1)] = Field(300, description="Orders an account may send in 10 seconds.")
    orders_minute: Annotated[int, Field(ge=1)] = Field(1_200, description="Orders an account may send in a minute.")
    most_unsent_mb: Annotated[int, Field(ge=1, le=4_096)] = Field(
        8, description="Megabytes a stream's reader may leave unread before it is cut off.")
    metrics_port: Port = Field(0, description="Prometheus port of this service; 0 for none.")

    @property
    def rebased(self) -> bool:
        """Tell whether the market's times are shifted to now."""
        return self.time == "now" or (self.time == "" and self.pace not in ("max", "lockstep"))
