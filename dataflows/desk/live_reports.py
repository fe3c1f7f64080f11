"""Execution's reports as they come, for a flow whose time nobody plays: a thread follows the stream, the flow asks.

A report is there for the flow once it has been delivered here. While the stream is broken nothing is said to be there,
so that no decision rests on a position that may be old.
"""

import threading
import time
from typing import Final

import grpc

from dataflows.actors.strategy_domain import OrderReport
from dataflows.desk.patience import AWAY, code_of, details_of, patiently
from dataflows.desk.reports import STREAM_DEADLINE_S, ReportReader
from dataflows.desk.wire import report_of
from sluice.errors import NotRunningError, SluiceError
from sluice.execution.v1 import execution_pb2 as execution
from sluice.execution.v1 import execution_pb2_grpc as execution_grpc

_RETRY_S: Final = 0.1


class LiveReports:
    """The reports of an execution service. One thread asks; another, of its own, listens."""

    def __init__(self, channel: grpc.Channel, *, patience_s: float) -> None:
        """`patience_s` is how long the service may be away before that is an error."""
        self._stub = execution_grpc.ExecutionServiceStub(channel)
        self._older = ReportReader(channel, patience_s=patience_s)
        self._patience_s = patience_s
        self._reports: dict[int, OrderReport] = {}
        self._begun = self._next = 0
        self._caught_up, self._closed = False, False
        self._failure: SluiceError | None = None
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def delivered(self) -> int:
        """Return the sequence of the last report that is here, once all that there were have been delivered.

        Raises `NotRunningError` where the service stays away for too long.
        """
        if self._thread is None:
            self._begin()
        with self._news:
            if not self._news.wait_for(lambda: self._caught_up or self._failure, self._patience_s):
                raise NotRunningError(f"execution must stream reports within {self._patience_s:.0f} s, did not",
                                      fix="see whether it runs: sluice status")
            if self._failure is not None:
                raise self._failure
            return self._next - 1

    def between(self, after: int, until: int) -> list[OrderReport]:
        """Return the reports with sequences from `after + 1` to `until`, which must have been delivered."""
        older = self._older.between(after, min(until, self._begun - 1))
        with self._news:
            newer = [self._reports[sequence] for sequence in range(max(after + 1, self._begun), until + 1)]
            for sequence in [sequence for sequence in self._reports if sequence <= until]:
                del self._reports[sequence]
        return older + newer

    def close(self) -> None:
        """Let the listening end with the channel."""
        self._closed = True

    def _begin(self) -> None:
        """Find out where the reports stand now: what is older is read from the journal when it is asked for."""
        stands = patiently("execution", self._where_it_stands, patience_s=self._patience_s)
        self._begun = self._next = stands + 1
        self._thread = threading.Thread(target=self._listen, name="execution-reports", daemon=True)
        self._thread.start()

    def _where_it_stands(self) -> int:
        stream = self._stub.StreamReports(execution.StreamReportsRequest(), timeout=self._patience_s)
        try:
            return int(next(iter(stream)).last_sequence)
        finally:
            stream.cancel()

    def _listen(self) -> None:
        while not self._closed and self._failure is None:
            try:
                self._follow()
            except grpc.RpcError as error:
                self._note_break(error)
            except Exception as error:  # noqa: BLE001  # whatever it was, nobody listens any more, and that must be told
                self._fail(f"execution's reports must be readable, were not: {error!r}")
            with self._news:
                self._caught_up = False
            time.sleep(_RETRY_S)

    def _follow(self) -> None:
        request = execution.StreamReportsRequest(from_sequence=self._next)
        for message in self._stub.StreamReports(request, timeout=STREAM_DEADLINE_S):
            with self._news:
                if message.HasField("report") and message.report.sequence == self._next:
                    self._reports[self._next] = report_of(message.report)
                    self._next += 1
                self._caught_up = self._next > message.last_sequence
                self._news.notify_all()

    def _note_break(self, error: grpc.RpcError) -> None:
        if code_of(error) in AWAY or self._closed:
            return
        self._fail(f"execution refused the stream of reports: {details_of(error)}")

    def _fail(self, words: str) -> None:
        with self._news:
            self._failure = SluiceError(words)
            self._news.notify_all()
