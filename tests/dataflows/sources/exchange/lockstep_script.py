"""What an exchange in lock-step does on a connection: markers, frames, idle markers, the end. For `small_exchange`."""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web

from dataflows.sources.exchange.overlap import stream_of
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from tests.dataflows.sources.exchange.small_exchange import Answer, Script, Session

IDLE_NS = 100_000_000


def read(*tapes: Path) -> list[Frame]:
    return [item for item in TapeReader(tapes) if isinstance(item, Frame)]


def lockstep(
    frames: Sequence[Frame], *, hiccups: float = 0.0, cut_after: Callable[[Session], int] | None = None
) -> Script:
    """Serve frames of a tape in lock-step; `hiccups` is how often a connection falls behind the others."""

    async def script(session: Session) -> None:
        own = set(session.streams)
        draws = random.Random(session.route)
        last_ns, sent, after = 0, 0, int(session.query.get("after", "0"))
        for frame in frames:
            if frame.sequence <= after:
                continue
            mine = stream_of(frame.payload).decode() in own
            if mine or frame.receive_time_ns - last_ns >= IDLE_NS:
                await session.mark(f"{frame.receive_time_ns} {frame.sequence}")
                last_ns = frame.receive_time_ns
            if mine:
                if cut_after is not None and sent == cut_after(session):
                    await session.cut()
                    return
                await session.send(frame.payload)
                sent += 1
            if draws.random() < hiccups:
                await asyncio.sleep(0.002)
        await session.mark(f"{frames[-1].receive_time_ns} {frames[-1].sequence} end")
        await session.for_ever()

    return script


def snapshots_of(frames: Sequence[Frame]) -> Answer:
    """Answer depth requests with the tape's own snapshots."""
    found = [frame for frame in frames if b'"lastUpdateId"' in frame.payload[:80]]

    async def answer(request: web.Request) -> web.Response:
        own = [frame for frame in found if frame.symbol_hint == request.query["symbol"]]
        after = int(request.headers["X-Sluice-After"]) if "X-Sluice-After" in request.headers else None
        fitting = [frame for frame in own if after is None or frame.sequence <= after]
        if not own:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        frame = fitting[-1] if fitting and after is not None else own[0]
        headers = {"X-Sluice-Receive-Ns": str(frame.receive_time_ns), "X-Sluice-Line": str(frame.sequence)}
        return web.Response(body=frame.payload, headers=headers, content_type="application/json")

    return answer
