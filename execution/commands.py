"""The room's command: `sluice serve execution`."""

import asyncio

import click

from sluice.cli.options import config_option
from sluice.config.settings import Settings


@click.command("execution")
@config_option
def serve(settings: Settings) -> None:
    """Run the execution service.

    It takes orders only as approvals that the risk service has signed. It recovers from its journal first and is
    SERVING when journal and venue agree.
    """
    # Help pages must not pay for gRPC and PostgreSQL.
    from sluice.stores.embedded import stores  # noqa: PLC0415
    from sluice.telemetry import logging, metrics  # noqa: PLC0415

    logging.configure(settings.telemetry.log_level)
    metrics.serve(settings, "execution")
    with stores(settings) as urls:
        asyncio.run(_serve(settings, urls.postgres_url, urls.redis_url))


async def _serve(settings: Settings, postgres_url: str, redis_url: str) -> None:
    from execution.wiring import ExecutionServer  # noqa: PLC0415
    from sluice.stores.embedded import StoreUrls  # noqa: PLC0415

    server = ExecutionServer(settings, StoreUrls(postgres_url, redis_url))
    address = await server.start()
    click.echo(f"execution listens on {address}")
    await server.run_until_stopped()
