"""The address of a served exchange: taken before anything else, so that it is still free when all is ready."""

import errno
import socket

from sluice.errors import InputError, NotRunningError

_BACKLOG = 1024


def bound(address: str) -> socket.socket:
    """Return a socket bound to host:port, which takes no connection yet. Raises `InputError` and `NotRunningError`."""
    if address.startswith("unix:"):
        raise InputError(f"exchange.address must be host:port, was {address!r}")
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        return socket.create_server(
            (host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise NotRunningError(
            f"exchange.address must be free, {address} is not" if taken else
            f"exchange.address must be an address of this machine, was {address}: {error}",
            fix="stop what uses it, or name another with --address; port 0 finds a free one") from None


def shown(listener: socket.socket) -> str:
    """Return the address of a bound socket as host:port."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
