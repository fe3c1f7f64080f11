"""The page of the metrics, out of the metrics that the rooms declare.

A room's metrics are the ones of its module `metrics`; the rooms are found by their commands, as everywhere in this
package, so that nothing here imports one.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from types import ModuleType
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from sluice.cli.groups import installed_commands

#: What every gRPC server counts, whichever room it serves.
SHARED: Final = "sluice.rpc.interceptors"
_TITLES: Final = {SHARED: "Every service", "inference.metrics": "Inference", "risk.metrics": "Risk",
                  "execution.metrics": "Execution", "dataflows.metrics": "Dataflow"}
_SUFFIX: Final = {"counter": "_total"}
_HEADER: Final = "| name | type | labels | meaning |\n|---|---|---|---|"
_INTRODUCTION: Final = """\
# Metrics

A process serves its metrics for Prometheus at `http://HOST:PORT/metrics` where its section of the
[configuration](configuration.md) names a `metrics_port`: `inference`, `risk`, `execution`, and `run` for the dataflow.
The host is `telemetry.metrics_host`. Each process needs a port of its own; 0, the default, is for none.

Beside these there are `python_*` and `process_*` of the Prometheus client: memory, processor time, open files.
"""


def metrics_page() -> str:
    """Return the page in Markdown: a table for what all services count, and one for each room."""
    parts = [_INTRODUCTION]
    for module in metric_modules():
        rows = [_row(metric) for metric in declared(module)]
        title = _TITLES.get(module.__name__, module.__name__)
        parts.append("\n".join([f"## {title}", "", _HEADER, *rows, ""]))
    return "\n".join(parts)


def metric_modules() -> list[ModuleType]:
    """Return every module that declares metrics, the shared one first."""
    rooms = sorted({point.module.partition(".")[0] for point in installed_commands().values()} - {"sluice"})
    names = [name for room in rooms if importlib.util.find_spec(name := f"{room}.metrics")]
    order = [*_TITLES, *names]
    return [importlib.import_module(name) for name in sorted({SHARED, *names}, key=order.index)]


def declared(module: ModuleType) -> Iterator[MetricWrapperBase]:
    """Yield the metrics of a module in the order in which it declares them."""
    return (value for value in vars(module).values() if isinstance(value, MetricWrapperBase))


def _row(metric: MetricWrapperBase) -> str:
    (described,) = metric.describe()
    labels = ", ".join(f"`{name}`" for name in metric._labelnames) or "none"  # noqa: SLF001  # told nowhere else
    name = described.name + _SUFFIX.get(described.type, "")
    return f"| `{name}` | {described.type} | {labels} | {described.documentation} |"
