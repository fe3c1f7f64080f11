"""Settings of the live market source: which exchange, which streams, and how patient it is with both.

The defaults are Binance's public addresses and well within its limits (1024 streams a connection, a life of 24 h,
2400 request weight a minute).
"""

from typing import Annotated, Literal

from pydantic import Field

from sluice.config.section import Section

WebUrl = Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
SocketUrl = Annotated[str, Field(pattern=r"^wss?://[^\s?#]+$")]
#: A stream without its symbol, such as `depth@100ms`.
StreamName = Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_]*(@[a-zA-Z0-9]+)?$")]


class UsdmAddresses(Section):
    """Where Binance's USD-M futures are."""

    rest_url: WebUrl = Field("https://fapi.binance.com", description="Base of REST requests; /fapi/v1 follows.")
    stream_url: SocketUrl = Field(
        "wss://fstream.binance.com", description="Base of market streams; /public/stream and /market/stream follow.")


class CoinmAddresses(Section):
    """Where Binance's COIN-M futures are."""

    rest_url: WebUrl = Field("https://dapi.binance.com", description="Base of REST requests; /dapi/v1 follows.")
    stream_url: SocketUrl = Field(
        "wss://dstream.binance.com", description="Base of market streams; /public/stream and /market/stream follow.")


class ExchangeSourceSettings(Section):
    """The market source that reads an exchange, used where `source.kind` is `exchange`."""

    clock: Literal["system", "lockstep"] = Field(
        "system",
        description="`system`: frames are stamped by the machine's clock. `lockstep`: by the markers of a simulated "
                    "exchange that serves a tape at pace lockstep; a run is then the same as on the tape itself.")
    streams: Annotated[tuple[StreamName, ...], Field(min_length=1)] = Field(
        ("depth@100ms", "bookTicker", "aggTrade", "markPrice@1s", "forceOrder"),
        description="Streams of every instrument, without its symbol. These and `open_interest_interval_s` bring all "
                    "that the full set of features is made from.")
    streams_per_connection: Annotated[int, Field(ge=1, le=200)] = Field(
        100, description="Most streams of one connection; more instruments open more connections.")
    usdm: UsdmAddresses = Field(default_factory=UsdmAddresses)
    coinm: CoinmAddresses = Field(default_factory=CoinmAddresses)
    queue_frames: Annotated[int, Field(ge=100, le=10_000_000)] = Field(
        50_000, description="Frames that may wait for the flow. Beyond, connections are dropped and books taken anew.")
    queue_megabytes: Annotated[int, Field(ge=1, le=16_384)] = Field(
        128, description="The same in megabytes of payload; whichever is reached first.")
    tick_grace_ms: Annotated[int, Field(ge=0, le=10_000)] = Field(
        0, description="How long after a tick's time a silent market is waited for before the tick is made.")
    poll_ms: Annotated[int, Field(ge=1, le=10)] = Field(
        1, description="How often the flow looks for new frames while there are none.")
    silence_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = Field(
        15_000, description="Longest silence of depth, bookTicker or markPrice streams before their connection is made "
                            "anew.")
    trade_silence_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = Field(
        300_000, description="The same for trades and klines, which a quiet market may lack for a while.")
    connection_life_s: Annotated[int, Field(ge=10, le=86_000)] = Field(
        82_800, description="Age at which a connection is replaced; Binance ends one after 24 h.")
    overlap_ms: Annotated[int, Field(ge=100, le=60_000)] = Field(
        5_000, description="How long an old and a new connection run side by side before the new one takes over.")
    reconnect_ms: Annotated[int, Field(ge=1, le=60_000)] = Field(
        250, description="First pause before a reconnect or a repeated request; it doubles with each failure.")
    reconnect_most_ms: Annotated[int, Field(ge=1, le=600_000)] = Field(30_000, description="Longest such pause.")
    snapshot_interval_s: Annotated[int, Field(ge=5, le=86_400)] = Field(
        300, description="Time between two depth snapshots of an instrument, beside those that a gap calls for.")
    open_interest_interval_s: Annotated[int, Field(ge=0, le=300)] = Field(
        10, description="Time between two requests for an instrument's open interest, which has no stream; 0 for "
                        "never. It is longer where the instruments are too many for half of request_weight.")
    request_weight: Annotated[int, Field(ge=40, le=2_400)] = Field(
        1_200, description="Most request weight a minute for snapshots and open interest, of which the latter leaves "
                           "half; Binance allows 2400 for all that an address does.")
    cancel_on_stop: bool = Field(
        False, description="Whether every open order is cancelled when a live flow is stopped in order.")
