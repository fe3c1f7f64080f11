"""The Prometheus endpoint of a process: every metric registered in it, at http://host:port/metrics.

What a room counts is declared in its module `metrics`, at its edge: domain code counts nothing.
"""

from prometheus_client import start_http_server

from sluice.config.settings import Settings
from sluice.errors import NotRunningError


def serve(settings: Settings, section: str) -> None:
    """Serve the metrics in a background thread for as long as the process lives, where its section names a port.

    `section` is the process's: run, inference, risk or execution. Raises NotRunningError where the port is taken or the
    host is not this machine's.
    """
    port, host = getattr(settings, section).metrics_port, settings.telemetry.metrics_host
    if port == 0:
        return
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        raise NotRunningError(f"{section}.metrics_port must be free, {host}:{port} is not ({error.strerror})",
                              fix=f"stop what uses it, or change {section}.metrics_port; 0 is for none") from None
