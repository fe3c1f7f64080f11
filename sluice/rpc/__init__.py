"""gRPC as every service of Sluice uses it: a server shell with health, reflection, metrics and errors, and channels."""

from sluice.rpc.channels import aio_channel, channel
from sluice.rpc.deployment import deployment
from sluice.rpc.health import is_serving, wait_serving
from sluice.rpc.server import Registration, ServerShell

__all__ = ["Registration", "ServerShell", "aio_channel", "channel", "deployment", "is_serving", "wait_serving"]
