"""The inference server: the service inside a `ServerShell`.

It imports ONNX Runtime and numpy and none of the libraries that models are trained with.
"""

from collections.abc import Callable

from inference.registry import Registry, shipped_registry
from inference.service import InferenceServicer
from sluice.config.settings import InferenceSettings
from sluice.inference.v1 import inference_pb2, inference_pb2_grpc
from sluice.rpc import Registration, ServerShell

SERVICE_NAME: str = inference_pb2.DESCRIPTOR.services_by_name["InferenceService"].full_name


def build_servicer(settings: InferenceSettings) -> InferenceServicer:
    """Return the service with its bundle loaded and warm. Raises `NotFoundError` or `InputError`."""
    return InferenceServicer(Registry(settings.bundles or shipped_registry()), settings.threads)


def build_shell(settings: InferenceSettings, servicer: InferenceServicer) -> ServerShell:
    """Return the server around a service; it is not bound yet."""
    def add(server: object) -> None:
        inference_pb2_grpc.add_InferenceServiceServicer_to_server(servicer, server)  # type: ignore[arg-type]
    return ServerShell("inference", settings.address, [Registration(SERVICE_NAME, add)])


async def serve_until_stopped(settings: InferenceSettings, announce: Callable[[str], None]) -> None:
    """Load the bundle, bind, say so with one line, and serve until SIGTERM or SIGINT."""
    servicer = build_servicer(settings)
    shell = build_shell(settings, servicer)
    address = await shell.start()
    shell.set_serving(True)
    announce(f"inference is serving on {address}, bundle {servicer.version}")
    await shell.run_until_stopped()
