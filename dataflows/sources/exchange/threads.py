"""Running a feed in a thread of its own, beside a flow that never waits for a socket."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import uvloop

from dataflows.sources.exchange.handoff import FeedEnd, Handoff

STOP_TIMEOUT_S = 5.0
#: Sockets that were told to close do so in the next turns of their loop, which must not end before.
CLOSING_S = 0.01


class FeedThread:
    """A feed's thread. What ends the feed, a mistake of ours included, is told through the queue as its last item."""

    def __init__(self, run: Callable[[], Awaitable[None]], handoff: Handoff) -> None:
        self._run, self._handoff = run, handoff
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._work, name="exchange-feed", daemon=True)

    def start(self) -> None:
        """Start the feed and return at once."""
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Cancel the feed and wait for its end. Stopping twice is once."""
        if self._loop is not None and self._task is not None and self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._task.cancel)
            except RuntimeError:  # the loop ended by itself meanwhile
                return
            self._thread.join(STOP_TIMEOUT_S)

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._main())
        except asyncio.CancelledError:
            pass
        except BaseExceptionGroup as group:
            self._handoff.put_last(FeedEnd(_first(group)))
        except Exception as error:  # noqa: BLE001  # whatever it was, the flow must end with it and not wait for ever
            self._handoff.put_last(FeedEnd(error))
        finally:
            self._started.set()

    async def _main(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._started.set()
        try:
            await self._run()
        finally:
            await asyncio.sleep(CLOSING_S)


def _first(group: BaseExceptionGroup) -> Exception | None:
    """Return the first error of a group; None where all was only cancelled."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return _first(error)
        if isinstance(error, Exception):
            return error
    return None
