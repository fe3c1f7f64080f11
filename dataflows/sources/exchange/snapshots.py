"""Depth snapshots over REST, as the exchange sends them: the bytes of the body and where they stand on a tape."""

from typing import NamedTuple

import msgspec

from dataflows.sources.exchange.rest_client import Answer, NoAnswerError, Request, RestClient
from sluice.instruments import Instrument

#: Levels a side, and what such a request weighs at Binance.
LEVELS, WEIGHT = 1000, 20
_PLAIN = Request("depth", WEIGHT, parameters={"limit": str(LEVELS)})
_AFTER = "X-Sluice-After"


class _Body(msgspec.Struct, gc=False):
    last_update_id: int = msgspec.field(name="lastUpdateId")


_bodies = msgspec.json.Decoder(_Body)


class Snapshot(NamedTuple):
    """A snapshot's answer and its update id."""

    answer: Answer
    last_update_id: int


async def fetch_snapshot(client: RestClient, instrument: Instrument, after_line: int | None = None) -> Snapshot:
    """Return a snapshot of an instrument's book, once the budget allows it.

    `after_line` asks an exchange in lock-step for the latest at or before that line. Raises `NoAnswerError`.
    """
    request = _PLAIN if after_line is None else _PLAIN._replace(headers={_AFTER: str(after_line)})
    answer = await client.get(instrument, request)
    try:
        return Snapshot(answer, _bodies.decode(answer.payload).last_update_id)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoAnswerError(f"{instrument.symbol}: a snapshot must have a lastUpdateId: {error}") from error
