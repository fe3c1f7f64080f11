"""Risk's own copy of execution's reports: one stream, from the next report on, for as long as the service runs.

An outage of execution does not end it: it connects again with back-off and goes on where it was. What a report means is
the engine's business; this only brings every one of them in, in sequence.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import grpc

from risk import wire
from risk.execution_identity import ExecutionIdentity
from risk.reports import ReportBuffer
from sluice.errors import SluiceError
from sluice.execution.v1 import execution_pb2 as execution
from sluice.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from sluice.rpc import aio_channel

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0

_log = logging.getLogger("risk.drop_copy")


class DropCopy:
    """Reads execution's reports into a buffer. `on_reports` is called after each one."""

    def __init__(
        self, address: str, identity: ExecutionIdentity, buffer: ReportBuffer,
        on_reports: Callable[[], Awaitable[None]],
    ) -> None:
        self._address = address
        self._identity = identity
        self._buffer = buffer
        self._on_reports = on_reports
        self._caught_up = asyncio.Event()

    async def wait_caught_up(self) -> None:
        """Return once every report that existed when the stream began has come in."""
        await self._caught_up.wait()

    async def run(self) -> None:
        """Read until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            before = self._buffer.received
            try:
                await self._read()
            except (grpc.aio.AioRpcError, SluiceError) as error:
                _log.info("execution's reports must stream, were interrupted at %d: %s", self._buffer.received,
                          error.details() if isinstance(error, grpc.aio.AioRpcError) else error)
            pause_s = FIRST_PAUSE_S if self._buffer.received > before else min(pause_s * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _read(self) -> None:
        async with aio_channel(self._address) as channel:
            stub = ExecutionServiceStub(channel)
            request = execution.StreamReportsRequest(from_sequence=self._buffer.received + 1)
            async for message in stub.StreamReports(request):
                if message.HasField("report"):
                    await self._buffer.add(wire.read_report(message.report))
                    await self._on_reports()
                else:
                    await self._identity.require(message.journal_id)
                if self._buffer.received >= message.last_sequence:
                    self._caught_up.set()
