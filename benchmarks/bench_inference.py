"""How long a prediction takes: the models alone, and the whole call over gRPC, for a few numbers of rows.

Run it with `python -m benchmarks.bench_inference`. It serves the shipped bundle on a free port, asks one request at a
time, and prints medians and 99th percentiles in microseconds. Client and server share the process and the machine.
"""

import asyncio
import statistics
import time
from collections.abc import Callable

import numpy as np

from inference.runtime import LoadedBundle, Matrix
from inference.server import build_servicer, build_shell
from inference.service import predict
from sluice.config.settings import InferenceSettings
from sluice.features.v1 import features_pb2
from sluice.inference.v1 import inference_pb2, inference_pb2_grpc
from sluice.rpc import aio_channel

ROWS = (1, 3, 16, 64)
ROUNDS = 1_000


def request_of(loaded: LoadedBundle, rows: Matrix) -> inference_pb2.PredictRequest:
    """Return a request of these rows, each of another instrument."""
    digest = loaded.manifest.schema.hash
    valid = [True] * rows.shape[1]
    features = [features_pb2.FeatureRow(instrument=f"BINANCE_USDM:{index}", event_time_ns=1, sequence=1,
                                        schema_hash=digest, values=values, valid=valid)
                for index, values in enumerate(rows.tolist())]
    entries = [inference_pb2.PredictRow(row=row) for row in features]
    return inference_pb2.PredictRequest(schema_hash=digest, rows=entries)


def timed(call: Callable[[], object]) -> list[float]:
    """Return the microseconds of many calls."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - began) / 1e3)
    return times


def show(what: str, rows: int, times: list[float]) -> None:
    """Print one line of the table."""
    print(f"{what:<24} {rows:>5} rows   p50 {statistics.median(times):>8.0f} us   "
          f"p99 {np.percentile(times, 99):>8.0f} us")


async def run() -> None:
    """Measure everything."""
    settings = InferenceSettings(address="127.0.0.1:0")
    servicer = build_servicer(settings)
    loaded = servicer.loaded
    shell = build_shell(settings, servicer)
    address = await shell.start()
    generator = np.random.default_rng(0)
    async with aio_channel(address) as connection:
        stub = inference_pb2_grpc.InferenceServiceStub(connection)
        for count in ROWS:
            rows = np.abs(generator.normal(size=(count, len(loaded.manifest.schema.features))))
            request = request_of(loaded, rows)
            nothing, everything = [0.0] * count, [True] * count
            show("models and policy", count, timed(lambda: loaded.predict(rows, everything, nothing)))  # noqa: B023
            show("with the messages", count, timed(lambda: predict(loaded, request)))  # noqa: B023
            times = []
            for _ in range(ROUNDS):
                began = time.perf_counter_ns()
                await stub.Predict(request)
                times.append((time.perf_counter_ns() - began) / 1e3)
            show("over gRPC", count, times)
    await shell.stop(0.0)


if __name__ == "__main__":
    asyncio.run(run())
