"""InferenceService: checks requests, asks the loaded bundle, and exchanges it while serving.

The bundle is held in one attribute. A request reads it once and works with that one to its end, so an exchange in
between changes nothing for it; ONNX Runtime and the policy never see the protobuf.
"""

import asyncio
import logging
import math

import numpy as np

from inference.manifest import Manifest
from inference.registry import Registry
from inference.runtime import LoadedBundle, Matrix, RowPrediction
from sluice.errors import InputError
from sluice.features.v1 import features_pb2
from sluice.inference.v1 import inference_pb2, inference_pb2_grpc

_log = logging.getLogger(__name__)


class InferenceServicer(inference_pb2_grpc.InferenceServiceServicer):
    """The service over one registry."""

    def __init__(self, registry: Registry, threads: int = 1) -> None:
        """Load the active bundle. Raises `NotFoundError` or `InputError` where there is none that works."""
        self._registry = registry
        self._threads = threads
        self._reloading = asyncio.Lock()
        self._loaded = LoadedBundle(registry.read(registry.active_version()), threads)

    @property
    def loaded(self) -> LoadedBundle:
        """Return the bundle that answers now."""
        return self._loaded

    @property
    def version(self) -> str:
        """Return the version that answers now."""
        return self._loaded.version

    async def Predict(  # noqa: N802  # the contract's name
            self, request: inference_pb2.PredictRequest, context: object) -> inference_pb2.PredictResponse:  # noqa: ARG002
        """Predict for each row, in order. Raises `InputError` where a row is not of the bundle's schema."""
        return predict(self._loaded, request)

    async def GetModels(  # noqa: N802  # the contract's name
            self, request: inference_pb2.GetModelsRequest, context: object) -> inference_pb2.GetModelsResponse:  # noqa: ARG002
        """List what the registry holds and which version answers."""
        active = self._loaded.manifest
        manifests = {manifest.version: manifest for manifest in await asyncio.to_thread(self._registry.manifests)}
        models = [_model(manifest, active.version) for manifest in {**manifests, active.version: active}.values()]
        return inference_pb2.GetModelsResponse(active_version=active.version, models=models)

    async def Reload(  # noqa: N802  # the contract's name
            self, request: inference_pb2.ReloadRequest, context: object) -> inference_pb2.ReloadResponse:  # noqa: ARG002
        """Exchange the bundle; whatever goes wrong before the exchange leaves the old one answering."""
        async with self._reloading:
            previous = self.version
            loaded = await asyncio.to_thread(self._load, request.version)
            self._loaded = loaded
            if not await asyncio.to_thread(self._registry.activate, loaded.version):
                _log.warning("registry %s cannot be written: after a restart the newest bundle is active again",
                             self._registry.root)
        _log.info("bundle %s replaces %s", loaded.version, previous)
        return inference_pb2.ReloadResponse(previous_version=previous, active_version=loaded.version)

    def _load(self, version: str) -> LoadedBundle:
        return LoadedBundle(self._registry.read(version or self._registry.newest_version()), self._threads)


def predict(loaded: LoadedBundle, request: inference_pb2.PredictRequest) -> inference_pb2.PredictResponse:
    """Answer a request from a bundle. Raises `InputError`, naming the first thing that is wrong."""
    manifest = loaded.manifest
    _check_hash("schema_hash", request.schema_hash, manifest)
    rows, valid, positions = _unpacked(request, loaded)
    results = loaded.predict(rows, valid, positions)
    predictions = [_prediction(row.row, result, manifest)
                   for row, result in zip(request.rows, results, strict=True)]
    return inference_pb2.PredictResponse(predictions=predictions, model_version=manifest.version)


def _unpacked(request: inference_pb2.PredictRequest, loaded: LoadedBundle) -> tuple[Matrix, list[bool], list[float]]:
    manifest = loaded.manifest
    width = len(manifest.schema.features)
    rows = np.empty((len(request.rows), width))
    for index, entry in enumerate(request.rows):
        _check_row(index, entry, manifest, width)
        rows[index] = entry.row.values
    valid = [loaded.can_read(entry.row.valid) for entry in request.rows]
    return rows, valid, [entry.position_fraction for entry in request.rows]


def _check_row(index: int, entry: inference_pb2.PredictRow, manifest: Manifest, width: int) -> None:
    _check_hash(f"schema_hash of row {index}", entry.row.schema_hash, manifest)
    for name, count in (("values", len(entry.row.values)), ("valid", len(entry.row.valid))):
        if count != width:
            raise InputError(f"{name} of row {index} must have {width} entries, was {count}")
    if not math.isfinite(entry.position_fraction):
        raise InputError(f"position_fraction of row {index} must be finite, was {entry.position_fraction}")


def _check_hash(name: str, value: str, manifest: Manifest) -> None:
    if value != manifest.schema.hash:
        raise InputError(f"{name} must be {manifest.schema.hash}, was {value or '(empty)'}",
                         fix=f"bundle {manifest.version} knows schema {manifest.schema.name} "
                             f"version {manifest.schema.version}: train it again on the rows' schema")


def _prediction(row: features_pb2.FeatureRow, result: RowPrediction, manifest: Manifest) -> inference_pb2.Prediction:
    alphas = [inference_pb2.AlphaForecast(name=horizon.name, forecast_bps=forecast, horizon_ns=horizon.horizon_ns)
              for horizon, forecast in zip(manifest.horizons, result.forecasts_bps, strict=False)]
    return inference_pb2.Prediction(
        instrument=row.instrument, event_time_ns=row.event_time_ns, regime_probabilities=result.regime_probabilities,
        alphas=alphas, action=result.decision.action, action_probabilities=result.decision.probabilities,
        valid=result.valid)


def _model(manifest: Manifest, active_version: str) -> inference_pb2.Model:
    schema = features_pb2.FeatureSchema(name=manifest.schema.name, version=manifest.schema.version,
                                        hash=manifest.schema.hash, features=manifest.schema.features)
    return inference_pb2.Model(
        version=manifest.version, name=manifest.name, schema=schema, trained_at=manifest.trained_at,
        trained_on=manifest.trained_on, regimes=manifest.regimes, active=manifest.version == active_version)
