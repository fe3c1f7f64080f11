"""Reports as they come: none missed, none doubled, none claimed while the stream is broken."""

import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import pytest

from dataflows.desk.live_reports import LiveReports
from sluice.errors import NotRunningError, SluiceError
from sluice.execution.v1 import execution_pb2 as execution
from sluice.rpc import channel


class Journal:
    """Streams reports 1 to `last`, and more as it grows; breaks every stream when told to."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.asked: list[int] = []
        self.refusal: grpc.StatusCode | None = None
        self._news = threading.Condition()
        self._breaks = 0
        self.unreadable = False

    def grow(self, last: int) -> None:
        with self._news:
            self.last = last
            self._news.notify_all()

    def cut(self) -> None:
        with self._news:
            self._breaks += 1
            self._news.notify_all()

    def stream(
        self, request: execution.StreamReportsRequest, context: grpc.ServicerContext
    ) -> Iterator[execution.StreamReportsResponse]:
        if self.refusal is not None:
            context.abort(self.refusal, "no")
        self.asked.append(request.from_sequence)
        breaks, following = self._breaks, max(request.from_sequence, 1)
        yield execution.StreamReportsResponse(last_sequence=self.last)
        while context.is_active():
            with self._news:
                self._news.wait(0.02)
            if self._breaks > breaks:
                context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            while following <= self.last:
                report = execution.ExecutionReport(sequence=following, client_order_id=f"o{following}")
                if self.unreadable:
                    report.kind, report.fill.quantity = execution.REPORT_KIND_FILL, "much"
                following += 1
                yield execution.StreamReportsResponse(report=report, last_sequence=self.last)


@contextmanager
def served(journal: Journal) -> Iterator[grpc.Channel]:
    server = grpc.server(futures.ThreadPoolExecutor(8))
    handler = grpc.unary_stream_rpc_method_handler(
        journal.stream, execution.StreamReportsRequest.FromString,
        execution.StreamReportsResponse.SerializeToString)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
        "sluice.execution.v1.ExecutionService", {"StreamReports": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with channel(f"127.0.0.1:{port}") as opened:
            yield opened
    finally:
        server.stop(0).wait()


def eventually(reports: LiveReports, sequence: int) -> None:
    for _ in range(2000):
        if reports.delivered() >= sequence:
            return
        threading.Event().wait(0.005)
    pytest.fail(f"report {sequence} was never delivered")


def test_what_was_there_before_is_read_from_the_journal_and_what_comes_from_the_stream() -> None:
    journal = Journal(5)
    with served(journal) as opened:
        reports = LiveReports(opened, patience_s=10)
        assert reports.delivered() == 5
        assert [report.sequence for report in reports.between(2, 5)] == [3, 4, 5]
        journal.grow(8)
        eventually(reports, 8)
        assert [report.sequence for report in reports.between(5, 7)] == [6, 7]
        assert [report.client_order_id for report in reports.between(7, 8)] == ["o8"]
        assert reports.between(8, 8) == []
        reports.close()
    assert journal.asked[:2] == [0, 6]


def test_a_broken_stream_goes_on_where_it_was_and_nothing_is_claimed_meanwhile() -> None:
    journal = Journal(0)
    with served(journal) as opened:
        reports = LiveReports(opened, patience_s=10)
        assert reports.delivered() == 0
        journal.grow(3)
        eventually(reports, 3)
        journal.refusal = grpc.StatusCode.UNAVAILABLE
        journal.cut()
        journal.grow(6)
        waiting = LiveReports.delivered
        found: list[int] = []
        threading.Event().wait(0.3)
        asker = threading.Thread(target=lambda: found.append(waiting(reports)), daemon=True)
        asker.start()
        asker.join(0.3)
        assert found == [], "no answer may come while execution is away"
        journal.refusal = None
        asker.join(10)
        assert found == [6]
        assert [report.sequence for report in reports.between(0, 6)] == [1, 2, 3, 4, 5, 6]
        reports.close()


def test_a_service_that_stays_away_is_an_error_and_one_that_refuses_too() -> None:
    journal = Journal(0)
    with served(journal) as opened:
        reports = LiveReports(opened, patience_s=0.5)
        journal.refusal = grpc.StatusCode.UNAVAILABLE
        with pytest.raises(NotRunningError):
            reports.delivered()
        journal.refusal = None
        assert reports.delivered() == 0
        journal.refusal = grpc.StatusCode.NOT_FOUND
        journal.cut()
        threading.Event().wait(0.5)
        with pytest.raises(SluiceError, match="refused the stream"):
            reports.delivered()
        reports.close()


def test_a_report_that_cannot_be_read_is_an_error_and_not_a_silence() -> None:
    journal = Journal(0)
    with served(journal) as opened:
        reports = LiveReports(opened, patience_s=5)
        assert reports.delivered() == 0
        journal.unreadable = True
        journal.grow(1)
        with pytest.raises(SluiceError, match="must be readable"):
            eventually(reports, 2)
        reports.close()
