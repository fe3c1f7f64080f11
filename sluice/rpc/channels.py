"""Channels to the services: keepalive on, automatic retries off.

gRPC repeats a call by itself where it believes that is safe. An order must not depend on that belief, so every repeat
is made by a caller who knows that the call is idempotent.
"""

import grpc

from sluice.rpc.deployment import client_options, own_deployment

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
KEEPALIVE_TIME_MS = 30_000
KEEPALIVE_TIMEOUT_MS = 10_000
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.enable_retries", 0),
    ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


def aio_channel(address: str) -> grpc.aio.Channel:
    """Return a channel for asyncio to `host:port` or `unix:/path`. It connects at the first call."""
    return grpc.aio.insecure_channel(address, options=(*_OPTIONS, *client_options(own_deployment())))


def channel(address: str, deployment: str | None = None) -> grpc.Channel:
    """Return a blocking channel to `host:port` or `unix:/path`. It connects at the first call.

    It reaches only services of the given deployment, or of this process's own where none is given.
    """
    wanted = own_deployment() if deployment is None else deployment
    return grpc.insecure_channel(address, options=(*_OPTIONS, *client_options(wanted)))
