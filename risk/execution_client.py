"""What risk asks of execution besides reports: burning approvals that were never used, and cancelling on a halt."""

import logging
from typing import Final

import grpc

from sluice.errors import NotRunningError
from sluice.execution.v1 import execution_pb2 as execution
from sluice.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from sluice.risk.v1.approval_pb2 import SignedApproval
from sluice.rpc import aio_channel

VOID_DEADLINE_S: Final = 2.0
CANCEL_DEADLINE_S: Final = 10.0

_log = logging.getLogger("risk.execution_client")


class ExecutionClient:
    """Calls one execution service."""

    def __init__(self, address: str) -> None:
        self._channel = aio_channel(address)
        self._stub = ExecutionServiceStub(self._channel)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    async def void(self, signed: SignedApproval) -> bool:
        """Ask execution to burn an approval; False where it did not answer, so that it is asked again later."""
        try:
            await self._stub.VoidApproval(execution.VoidApprovalRequest(approval=signed), timeout=VOID_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            _log.warning("an unused approval must be voided, was not: %s", error.details())
            return False
        return True

    async def cancel_all(self, reason: str) -> None:
        """Ask execution to cancel every open order. Raises `NotRunningError` where it does not answer."""
        try:
            await self._stub.CancelAll(execution.CancelAllRequest(reason=reason), timeout=CANCEL_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise NotRunningError(
                f"open orders must be cancelled after the halt, were not: {error.details()}",
                fix="trading is halted; cancel the orders at execution once it answers") from None
