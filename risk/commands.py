"""`sluice serve risk`."""

import click

from sluice.cli.options import config_option
from sluice.config.settings import Settings


@click.command("risk")
@config_option
def serve(settings: Settings) -> None:
    """Serve risk: the gate that signs orders or refuses them."""
    # The service's imports (grpc, psycopg) cost more than a help page may.
    import asyncio  # noqa: PLC0415

    from risk import server  # noqa: PLC0415
    from sluice.stores.embedded import stores  # noqa: PLC0415
    from sluice.telemetry import logging, metrics  # noqa: PLC0415

    logging.configure(settings.telemetry.log_level)
    metrics.serve(settings, "risk")
    with stores(settings) as urls:
        asyncio.run(server.serve(settings, urls, lambda address: click.echo(f"risk listens on {address}")))
