"""Settings of the Binance venue: where its futures are, which key signs, and how patient execution is with it.

An address that is empty is the one of `run.environment`: the public exchange (live), its test exchange (testnet), or an
exchange on this machine (simulated).
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from sluice.config.section import OptionalPath, Section

OptionalWebUrl = Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")]
OptionalSocketUrl = Annotated[str, Field(pattern=r"^(wss?://[^\s?#]+)?$")]
Environment = Literal["simulated", "testnet", "live"]


class BinanceAddresses(Section):
    """Where the futures of one margin kind are; empty for the address of `run.environment`."""

    rest_url: OptionalWebUrl = Field("", description="Base of REST requests; /fapi or /dapi follows.")
    stream_url: OptionalSocketUrl = Field("", description="Base of the user stream.")
    order_api_url: OptionalSocketUrl = Field("", description="Address of the WebSocket order API, path included.")


class BinanceSettings(Section):
    """The venue `binance`: USD-M and COIN-M futures."""

    usdm: BinanceAddresses = Field(default_factory=BinanceAddresses)
    coinm: BinanceAddresses = Field(default_factory=BinanceAddresses)
    api_key: SecretStr = Field(SecretStr(""), description="The key that requests name.")
    api_secret: SecretStr = Field(SecretStr(""), description="Its secret, where the key signs by HMAC.")
    ed25519_key_file: OptionalPath = Field(
        None, description="PEM file of the private key, where the key signs by Ed25519; it replaces `api_secret`.")
    live_orders: bool = Field(
        False, description='The second of two steps to live trading; the first is run.environment = "live".')
    order_route: Literal["rest", "websocket"] = Field(
        "rest", description="How orders and cancels travel; everything else is REST.")
    recv_window_ms: Annotated[int, Field(ge=100, le=60_000)] = Field(
        5_000, description="How late a request may reach the exchange before it is refused, in milliseconds.")
    request_timeout_ms: Annotated[int, Field(ge=50, le=120_000)] = Field(
        10_000, description="Longest wait for an answer; after it an order's fate is unknown, in milliseconds.")
    synchronise_clock: bool = Field(
        True, description="Whether the exchange's clock is measured, and requests are stamped with its time.")
    reserve_percent: Annotated[int, Field(ge=0, le=90)] = Field(
        20, description="Part of every request limit that only cancels and questions about orders may use.")
    countdown_s: Annotated[int, Field(ge=0, le=3_600)] = Field(
        120, description="Seconds without a sign of life after which the exchange cancels resting orders; 0 for never.")
    heartbeat_s: Annotated[int, Field(ge=1, le=600)] = Field(
        30, description="Seconds between two signs of life, while orders rest.")
    keepalive_s: Annotated[int, Field(ge=1, le=3_000)] = Field(
        1_800, description="Seconds between two renewals of the user stream's key; it dies after an hour without.")
    connection_life_s: Annotated[int, Field(ge=1, le=86_000)] = Field(
        82_800, description="Age at which the user stream's connection is replaced; Binance ends one after 24 h.")
    reconnect_ms: Annotated[int, Field(ge=1, le=60_000)] = Field(
        250, description="First pause before a reconnect; it doubles with each failure.")
    reconnect_most_ms: Annotated[int, Field(ge=1, le=600_000)] = Field(30_000, description="Longest such pause.")

    def resolved(self, product: Literal["usdm", "coinm"], environment: Environment) -> BinanceAddresses:
        """Return a product's addresses in an environment, none of them empty."""
        given: BinanceAddresses = getattr(self, product)
        default = DEFAULTS[environment, product]
        return BinanceAddresses(
            rest_url=(given.rest_url or default.rest_url).rstrip("/"),
            stream_url=(given.stream_url or default.stream_url).rstrip("/"),
            order_api_url=(given.order_api_url or default.order_api_url).rstrip("/"))


def world_of(url: str) -> Environment:
    """Return whose orders an address takes: Binance's own, its test exchange's, or a simulated exchange's."""
    # A name may end in a dot and is the same one.
    host = (urlsplit(url).hostname or "").rstrip(".")
    if _belongs(host, _TEST_DOMAINS):
        return "testnet"
    return "live" if _belongs(host, _LIVE_DOMAINS) else "simulated"


def _belongs(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


_TEST_DOMAINS: Final = ("binancefuture.com", "demo-fapi.binance.com", "demo-dapi.binance.com")
_LIVE_DOMAINS: Final = ("binance.com",)


def _addresses(rest_url: str, stream_url: str, order_api_url: str) -> BinanceAddresses:
    return BinanceAddresses(rest_url=rest_url, stream_url=stream_url, order_api_url=order_api_url)


_TEST_ORDERS: Final = "wss://testnet.binancefuture.com"
#: The addresses by environment and product.
DEFAULTS: Final[Mapping[tuple[str, str], BinanceAddresses]] = {
    ("live", "usdm"): _addresses("https://fapi.binance.com", "wss://fstream.binance.com",
                                 "wss://ws-fapi.binance.com/ws-fapi/v1"),
    ("live", "coinm"): _addresses("https://dapi.binance.com", "wss://dstream.binance.com",
                                  "wss://ws-dapi.binance.com/ws-dapi/v1"),
    ("testnet", "usdm"): _addresses("https://testnet.binancefuture.com", "wss://fstream.binancefuture.com",
                                    f"{_TEST_ORDERS}/ws-fapi/v1"),
    ("testnet", "coinm"): _addresses("https://testnet.binancefuture.com", "wss://dstream.binancefuture.com",
                                     f"{_TEST_ORDERS}/ws-dapi/v1"),
    ("simulated", "usdm"): _addresses("http://127.0.0.1:15080", "ws://127.0.0.1:15080",
                                      "ws://127.0.0.1:15080/ws-fapi/v1"),
    ("simulated", "coinm"): _addresses("http://127.0.0.1:15080", "ws://127.0.0.1:15080",
                                       "ws://127.0.0.1:15080/ws-dapi/v1"),
}
