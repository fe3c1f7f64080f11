"""The inference service over a real gRPC server on a free port."""

import asyncio
import math
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import grpc
import numpy as np
import pytest

from dataflows.indicators.schema import MARKET_SCHEMA
from inference.bundle import ALPHA_FILE, seal, write_bundle
from inference.registry import Registry
from inference.server import SERVICE_NAME, build_servicer, build_shell
from sluice.config.settings import InferenceSettings
from sluice.features.v1 import features_pb2
from sluice.inference.v1 import inference_pb2, inference_pb2_grpc
from sluice.rpc import aio_channel, channel, is_serving, wait_serving
from tests.inference.making import FEATURES, made_bundle, random_rows

if TYPE_CHECKING:  # the stubs know a class that the generated code does not have
    Stub: TypeAlias = inference_pb2_grpc.InferenceServiceAsyncStub


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    for seed in (1, 2):
        write_bundle(made_bundle(seed), tmp_path)
    Registry(tmp_path).activate(made_bundle(1).version)
    return tmp_path


@asynccontextmanager
async def serving(registry: Path) -> AsyncIterator["Stub"]:
    settings = InferenceSettings(address="127.0.0.1:0", bundles=registry)
    shell = build_shell(settings, build_servicer(settings))
    address = await shell.start()
    shell.set_serving(True)
    async with aio_channel(address) as connection:
        yield inference_pb2_grpc.InferenceServiceStub(connection)
    await shell.stop(0.0)


def request_of(count: int, *, seed: int = 30) -> inference_pb2.PredictRequest:
    rows = [inference_pb2.PredictRow(row=features_pb2.FeatureRow(
        instrument=f"BINANCE_USDM:{index}", event_time_ns=1_000 + index, sequence=index + 1,
        schema_hash=MARKET_SCHEMA.hash, values=values, valid=[True] * FEATURES), position_fraction=0.0)
        for index, values in enumerate(random_rows(count, seed).tolist())]
    return inference_pb2.PredictRequest(schema_hash=MARKET_SCHEMA.hash, rows=rows)


async def refused(stub: "Stub", request: inference_pb2.PredictRequest) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Predict(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    return caught.value.details() or ""


def test_predictions_come_in_the_rows_order_and_are_whole(registry: Path) -> None:
    async def scenario() -> None:
        async with serving(registry) as stub:
            request = request_of(40)
            answer = await stub.Predict(request)
            assert answer.model_version == made_bundle(1).version
            assert [p.instrument for p in answer.predictions] == [r.row.instrument for r in request.rows]
            assert [p.event_time_ns for p in answer.predictions] == [r.row.event_time_ns for r in request.rows]
            for prediction in answer.predictions:
                assert prediction.valid
                assert math.fsum(prediction.regime_probabilities) == pytest.approx(1.0)
                assert math.fsum(prediction.action_probabilities) == pytest.approx(1.0)
                assert [(a.name, a.horizon_ns) for a in prediction.alphas] == [
                    ("return_10s", 10_000_000_000), ("return_30s", 30_000_000_000)]
            assert {p.action for p in answer.predictions} >= {-2, 0, 2}
    asyncio.run(scenario())


def test_rows_asked_about_one_by_one_are_answered_with_the_same_bytes(registry: Path) -> None:
    async def scenario() -> None:
        async with serving(registry) as stub:
            request = request_of(25)
            together = (await stub.Predict(request)).predictions
            for row, expected in zip(request.rows, together, strict=True):
                alone = await stub.Predict(inference_pb2.PredictRequest(schema_hash=request.schema_hash, rows=[row]))
                assert alone.predictions[0].SerializeToString(deterministic=True) == expected.SerializeToString(
                    deterministic=True)
    asyncio.run(scenario())


def test_rows_that_are_not_valid_are_answered_as_such_beside_the_others(registry: Path) -> None:
    async def scenario() -> None:
        async with serving(registry) as stub:
            request = request_of(3)
            expected = (await stub.Predict(request)).predictions
            request.rows[0].row.valid[5] = False
            request.rows[2].row.values[0] = math.nan
            first, second, third = (await stub.Predict(request)).predictions
            assert (first.valid, third.valid) == (False, False)
            assert (first.action, third.action) == (0, 0)
            assert second == expected[1]
    asyncio.run(scenario())


def test_request_of_another_schema_is_refused(registry: Path) -> None:
    async def scenario() -> None:
        async with serving(registry) as stub:
            request = request_of(2)
            request.schema_hash = "f00"
            assert await refused(stub, request) == f"schema_hash must be {MARKET_SCHEMA.hash}, was f00"
            request = request_of(2)
            request.rows[1].row.schema_hash = ""
            assert await refused(stub, request) == f"schema_hash of row 1 must be {MARKET_SCHEMA.hash}, was (empty)"
    asyncio.run(scenario())


def test_row_of_another_width_or_without_a_position_is_refused(registry: Path) -> None:
    async def scenario() -> None:
        async with serving(registry) as stub:
            request = request_of(2)
            request.rows[1].row.values.append(1.0)
            assert await refused(stub, request) == f"values of row 1 must have {FEATURES} entries, was {FEATURES + 1}"
            request = request_of(2)
            del request.rows[0].row.valid[:]
            assert await refused(stub, request) == f"valid of row 0 must have {FEATURES} entries, was 0"
            request = request_of(1)
            request.rows[0].position_fraction = math.nan
            assert await refused(stub, request) == "position_fraction of row 0 must be finite, was nan"
            assert len((await stub.Predict(request_of(1))).predictions) == 1
    asyncio.run(scenario())


def test_request_without_rows_is_answered_without_predictions(registry: Path) -> None:
    async def scenario() -> None:
        async with serving(registry) as stub:
            answer = await stub.Predict(inference_pb2.PredictRequest(schema_hash=MARKET_SCHEMA.hash))
            assert (len(answer.predictions), answer.model_version) == (0, made_bundle(1).version)
    asyncio.run(scenario())


def test_models_are_listed_with_the_active_one_marked(registry: Path) -> None:
    async def scenario() -> None:
        async with serving(registry) as stub:
            answer = await stub.GetModels(inference_pb2.GetModelsRequest())
            assert answer.active_version == made_bundle(1).version
            assert {model.version: model.active for model in answer.models} == {
                made_bundle(1).version: True, made_bundle(2).version: False}
            model = next(model for model in answer.models if model.active)
            assert tuple(model.schema.features) == MARKET_SCHEMA.features
            assert (model.schema.hash, list(model.regimes)) == (MARKET_SCHEMA.hash, ["calm", "normal", "wild"])
            assert (model.trained_at, model.trained_on) == ("2023-11-14T22:28:19Z", "random rows 1")
    asyncio.run(scenario())


def test_reload_under_load_fails_no_request_and_mixes_no_versions(registry: Path) -> None:
    versions = [made_bundle(1).version, made_bundle(2).version]

    async def scenario() -> None:
        async with serving(registry) as stub:
            request = request_of(10)
            expected: dict[str, bytes] = {}
            for version in versions:
                await stub.Reload(inference_pb2.ReloadRequest(version=version))
                answer = await stub.Predict(request)
                expected[answer.model_version] = answer.SerializeToString(deterministic=True)
            assert sorted(expected) == sorted(versions)
            stopped = asyncio.Event()
            seen: list[str] = []

            async def load() -> None:
                while not stopped.is_set():
                    answer = await stub.Predict(request)
                    assert answer.SerializeToString(deterministic=True) == expected[answer.model_version]
                    seen.append(answer.model_version)

            workers = [asyncio.create_task(load()) for _ in range(4)]
            for turn in range(10):
                version = versions[turn % 2]
                reloaded = await stub.Reload(inference_pb2.ReloadRequest(version=version))
                assert (reloaded.previous_version, reloaded.active_version) == (versions[1 - turn % 2], version)
            stopped.set()
            await asyncio.gather(*workers)
            assert set(seen) == set(versions)
    asyncio.run(scenario())


def test_reload_that_fails_leaves_the_old_one_serving(registry: Path) -> None:
    broken = seal(made_bundle(1).manifest, {**made_bundle(1).files, ALPHA_FILE: b"not a graph"})
    write_bundle(broken, registry)

    async def scenario() -> None:
        async with serving(registry) as stub:
            before = await stub.Predict(request_of(5))
            for version, code in ((broken.version, grpc.StatusCode.INVALID_ARGUMENT),
                                  ("nope", grpc.StatusCode.NOT_FOUND)):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await stub.Reload(inference_pb2.ReloadRequest(version=version))
                assert caught.value.code() is code
            assert await stub.Predict(request_of(5)) == before
            assert Registry(registry).active_version() == made_bundle(1).version
    asyncio.run(scenario())


def test_reload_without_a_version_takes_the_newest_and_is_remembered(registry: Path) -> None:
    newest = Registry(registry).newest_version()

    async def scenario() -> None:
        async with serving(registry) as stub:
            answer = await stub.Reload(inference_pb2.ReloadRequest())
            assert answer.active_version == newest
        async with serving(registry) as stub:
            assert (await stub.GetModels(inference_pb2.GetModelsRequest())).active_version == newest
    asyncio.run(scenario())


@pytest.fixture
def process(registry: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    configuration = registry / "sluice.toml"
    configuration.write_text(f'[inference]\naddress = "127.0.0.1:0"\nbundles = "{registry}"\n')
    command = [sys.executable, "-m", "sluice", "serve", "inference", "--config", str(configuration)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        line = started.stdout.readline()
        yield started, line
        started.kill()


def test_command_announces_its_address_serves_and_ends_on_sigterm(
        process: tuple["subprocess.Popen[str]", str]) -> None:
    started, line = process
    address = line.split()[4].rstrip(",")
    assert line == f"inference is serving on {address}, bundle {made_bundle(1).version}\n"
    wait_serving(address, SERVICE_NAME, 5.0)
    with channel(address) as connection:
        answer = inference_pb2_grpc.InferenceServiceStub(connection).Predict(request_of(3), timeout=5.0)
    assert np.all([prediction.valid for prediction in answer.predictions])
    started.send_signal(signal.SIGTERM)
    assert started.wait(10.0) == 0
    assert not is_serving(address, timeout_s=0.5)
