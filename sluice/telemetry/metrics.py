"""The Prometheus endpoint of a process: every metric registered in it, at http://host:port/metrics."""

from prometheus_client import start_http_server

from sluice.errors import NotRunningError


def serve(port: int, host: str = "127.0.0.1") -> None:
    """Serve the metrics in a background thread for as long as the process lives; port 0 serves nothing.

    Processes of one machine need a port each. Raises NotRunningError where the port is taken.
    """
    if port == 0:
        return
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        raise NotRunningError(f"telemetry.metrics_port must be free, {host}:{port} is not ({error.strerror})",
                              fix="give each process its own telemetry.metrics_port, or 0 for none") from None
