"""Reading execution's reports up to a sequence, over a stream that may break at any time."""

from collections.abc import Iterator
from functools import partial

import grpc

from dataflows.actors.strategy_domain import OrderReport
from dataflows.desk.patience import patiently
from dataflows.desk.wire import report_of
from sluice.execution.v1 import execution_pb2 as execution
from sluice.execution.v1 import execution_pb2_grpc as execution_grpc

#: A report that was promised must come within this time, or the stream is opened anew.
STREAM_DEADLINE_S = 3600.0


class ReportReader:
    """The dataflow's subscription to execution's reports."""

    def __init__(self, channel: grpc.Channel, *, patience_s: float) -> None:
        self._stub = execution_grpc.ExecutionServiceStub(channel)
        self._patience_s = patience_s
        self._stream: Iterator[execution.StreamReportsResponse] | None = None
        self._next = 0

    def between(self, after: int, until: int) -> list[OrderReport]:
        """Return the reports with sequences from `after + 1` to `until`, waiting for them where need be."""
        reports: list[OrderReport] = []
        while after + len(reports) < until:
            wanted = after + len(reports) + 1
            reports.append(patiently("execution", partial(self._report, wanted), patience_s=self._patience_s))
        return reports

    def _report(self, sequence: int) -> OrderReport:
        stream = self._opened_at(sequence)
        try:
            for message in stream:
                if message.HasField("report") and message.report.sequence == sequence:
                    self._next = sequence + 1
                    return report_of(message.report)
        except grpc.RpcError:
            self._stream = None
            raise
        self._stream = None
        return self._report(sequence)

    def _opened_at(self, sequence: int) -> Iterator[execution.StreamReportsResponse]:
        if self._stream is None or self._next != sequence:
            request = execution.StreamReportsRequest(from_sequence=sequence)
            self._stream = iter(self._stub.StreamReports(request, timeout=STREAM_DEADLINE_S))
            self._next = sequence
        return self._stream
