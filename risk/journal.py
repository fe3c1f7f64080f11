"""Risk's journal in PostgreSQL: every decision, observation and operator action, written before it takes effect.

Each method is one transaction, committed when it returns. An error of the database is a `JournalError`: what was
committed is then unknown, so the service must stop and rebuild itself from what is there. Two connections: one that
writes, one that reads history without holding up the writer.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import astuple, fields
from functools import wraps
from operator import attrgetter
from typing import Any, Final, ParamSpec, Self, TypeVar

import psycopg
from psycopg.rows import TupleRow, class_row

from risk import wire
from risk.domain import TradingState
from risk.drawdown import DrawdownGuard, HighWater, Latch, Period
from risk.engine import Observation
from risk.market import Market
from risk.portfolio import EquityLine
from risk.records import AuditEntry, DecisionRecord, ServiceState
from sluice.errors import NotRunningError
from sluice.risk.v1 import risk_pb2 as risk
from sluice.stores import postgres

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

#: How long a new service waits for the one before it to be gone.
LOCK_PATIENCE_S: Final = 5
_COLUMNS: Final = ", ".join(field.name for field in fields(DecisionRecord))
_INSERT_DECISION: Final = (
    f"INSERT INTO decisions ({_COLUMNS}) VALUES ({', '.join(['%s'] * len(fields(DecisionRecord)))})")  # noqa: S608
_DECISION_VALUES: Final = attrgetter(*(field.name for field in fields(DecisionRecord)))
_SELECT_DECISIONS: Final = f"SELECT {_COLUMNS} FROM decisions"  # noqa: S608
_INSERT_AUDIT: Final = (
    "INSERT INTO audit (event_time_ns, recorded_at_ns, action, operator, reason, subject, details)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)")
_INSERT_EQUITY: Final = "INSERT INTO equity VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_UPSERT_HIGH_WATER: Final = (
    "INSERT INTO high_water VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (asset) DO UPDATE SET day = EXCLUDED.day,"
    " week = EXCLUDED.week, high_day = EXCLUDED.high_day, high_week = EXCLUDED.high_week, equity = EXCLUDED.equity")
_INSERT_LATCH: Final = (
    "INSERT INTO latches (asset, period, drawdown, drawdown_limit, event_time_ns) VALUES (%s, %s, %s, %s, %s)")


class JournalError(NotRunningError):
    """The journal did not take or give something; what it holds is unknown until it is read again."""


def _journalled(
    method: Callable[Parameters, Awaitable[Result]],
) -> Callable[Parameters, Coroutine[Any, Any, Result]]:
    """Turn the database's errors into `JournalError`."""
    @wraps(method)
    async def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return await method(*args, **kwargs)
        except psycopg.Error as error:
            raise JournalError(f"the journal must be writable and readable, was not: {' '.join(str(error).split())}",
                               fix="check PostgreSQL; risk rebuilds itself at its next start") from error
    return call


class Journal:
    """The tables of one namespace. Use as an async context manager."""

    def __init__(
        self, writer: psycopg.AsyncConnection[TupleRow], reader: psycopg.AsyncConnection[TupleRow]
    ) -> None:
        self._writer = writer
        self._reader = reader

    @classmethod
    async def open(cls, url: str, schema: str) -> Self:
        """Connect twice and become the one writer.

        Raises `NotRunningError` where PostgreSQL does not answer, or another service writes this journal already.
        """
        journal = cls(await postgres.connect(url, schema), await postgres.connect(url, schema))
        try:
            await journal._become_the_writer(schema)
        except psycopg.errors.LockNotAvailable:
            await journal.__aexit__()
            raise NotRunningError(f"risk must be the only one to write {schema}, another one does",
                                  fix="stop the other risk service, or give this run another run.namespace") from None
        return journal

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.close()
        await self._reader.close()

    @_journalled
    async def start(self, risk_epoch: int, limits_version: str, audit: Sequence[AuditEntry]) -> None:
        """Write that the service has started under an epoch and limits."""
        async with self._writer.transaction():
            await self._writer.execute(
                "UPDATE state SET risk_epoch = %s, limits_version = %s", (risk_epoch, limits_version))
            await self._audit(audit)

    @_journalled
    async def record_decision(self, record: DecisionRecord) -> None:
        """Write a decision."""
        await self._writer.execute(_INSERT_DECISION, _DECISION_VALUES(record))

    @_journalled
    async def renew_approval(self, decision_id: str, risk_epoch: int, signed_approval: bytes) -> None:
        """Replace the signed approval of a decision that was signed anew."""
        await self._writer.execute(
            "UPDATE decisions SET signed_approval = %s, risk_epoch = %s WHERE decision_id = %s",
            (signed_approval, risk_epoch, decision_id))

    @_journalled
    async def record_observation(
        self, observation: Observation, report_sequence: int, risk_epoch: int, audit: Sequence[AuditEntry]
    ) -> None:
        """Write a tick: equity rows, high-water marks, latches that tripped, and the market as it is known now."""
        market, guard = observation.market, observation.guard
        async with self._writer.transaction(), self._writer.cursor() as cursor:
            await cursor.executemany(_INSERT_EQUITY, [
                _equity_row(market.event_time_ns, line, guard.marks[line.asset])
                for line in observation.equity
            ])
            await self._marks(cursor, guard)
            await cursor.executemany(_INSERT_LATCH, [_latch_row(latch) for latch in observation.tripped])
            await self._audit(audit)
            await cursor.execute(
                "UPDATE state SET market = %s, report_sequence = %s, risk_epoch = %s",
                (_market_bytes(market), report_sequence, risk_epoch))

    @_journalled
    async def record_operator(
        self, state: TradingState, risk_epoch: int, audit: AuditEntry, released: DrawdownGuard | None
    ) -> None:
        """Write an operator's change of state; `released` is the guard after a resume."""
        async with self._writer.transaction(), self._writer.cursor() as cursor:
            await self._audit([audit])
            await cursor.execute(
                "UPDATE state SET operator_state = %s, risk_epoch = %s", (state.name, risk_epoch))
            if released is not None:
                await cursor.execute("DELETE FROM latches")
                await self._marks(cursor, released)

    @_journalled
    async def find(self, intent_id: str) -> DecisionRecord | None:
        """Return the decision on an intent, or None."""
        async with self._writer.cursor(row_factory=class_row(DecisionRecord)) as cursor:
            await cursor.execute(f"{_SELECT_DECISIONS} WHERE intent_id = %s", (intent_id,))
            return await cursor.fetchone()

    @_journalled
    async def approval(self, decision_id: str) -> bytes | None:
        """Return the serialised signed approval of a decision, or None."""
        found = await (await self._writer.execute(
            "SELECT signed_approval FROM decisions WHERE decision_id = %s AND approved", (decision_id,))).fetchone()
        return found[0] if found else None

    @_journalled
    async def decisions(self, from_sequence: int, at_most: int) -> list[DecisionRecord]:
        """Return decisions from a sequence on, in order."""
        async with self._reader.cursor(row_factory=class_row(DecisionRecord)) as cursor:
            await cursor.execute(f"{_SELECT_DECISIONS} WHERE sequence >= %s ORDER BY sequence LIMIT %s",
                                 (from_sequence, at_most))
            return await cursor.fetchall()

    @_journalled
    async def state(self) -> ServiceState:
        """Return what was in force when the service last wrote."""
        row = await (await self._writer.execute(
            "SELECT risk_epoch, operator_state, limits_version, report_sequence, market FROM state")).fetchone()
        if row is None:
            raise JournalError("the journal must have its state row, had none", fix="restore the schema")
        marks = await (await self._writer.execute(
            "SELECT asset, day, week, high_day, high_week, equity FROM high_water")).fetchall()
        latches = await (await self._writer.execute(
            "SELECT asset, period, drawdown, drawdown_limit, event_time_ns FROM latches ORDER BY sequence")).fetchall()
        guard = DrawdownGuard(
            {asset: HighWater(*rest) for asset, *rest in marks},
            tuple(Latch(asset, Period(period), *rest) for asset, period, *rest in latches))
        return ServiceState(row[0], TradingState[row[1]], row[2], row[3], _market(row[4]), guard)

    async def _become_the_writer(self, schema: str) -> None:
        """Take the lock that lasts as long as the connection; a service that was killed gives it up at once."""
        await self._writer.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_PATIENCE_S}s",))
        await self._writer.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"sluice writer {schema}",))

    async def _audit(self, entries: Sequence[AuditEntry]) -> None:
        for entry in entries:
            await self._writer.execute(_INSERT_AUDIT, astuple(entry))

    @staticmethod
    async def _marks(cursor: psycopg.AsyncCursor[TupleRow], guard: DrawdownGuard) -> None:
        await cursor.executemany(_UPSERT_HIGH_WATER, [
            (asset, mark.day, mark.week, mark.high_day, mark.high_week, mark.equity)
            for asset, mark in guard.marks.items()
        ])


def _equity_row(event_time_ns: int, line: EquityLine, mark: HighWater) -> tuple[object, ...]:
    return (event_time_ns, line.asset, line.balance, line.unrealised_pnl, line.equity, mark.high_day, mark.high_week,
            mark.drawdown(Period.DAY), mark.drawdown(Period.WEEK))


def _latch_row(latch: Latch) -> tuple[object, ...]:
    return (latch.asset, latch.period.value, latch.drawdown, latch.limit, latch.event_time_ns)


def _market_bytes(market: Market) -> bytes:
    return risk.ObserveMarketRequest(
        event_time_ns=market.event_time_ns, tops=[wire.top_message(market.tops[key]) for key in sorted(market.tops)],
    ).SerializeToString(deterministic=True)


def _market(stored: bytes) -> Market:
    message = risk.ObserveMarketRequest.FromString(stored)
    return Market().observed(message.event_time_ns, [wire.read_top(top) for top in message.tops])
