"""Stopping a flow so that nothing is lost: SIGTERM and Ctrl-C end the source, and the last snapshot is taken.

Bytewax itself dies at once on SIGTERM and takes no snapshot.
"""

import signal
import threading
from types import FrameType
from typing import Protocol


class Stoppable(Protocol):
    """A source that can be asked to end."""

    def request_stop(self) -> None:
        """End the stream at the next batch."""
        ...


def stop_on_signal(source: Stoppable) -> None:
    """Let SIGTERM and SIGINT end the source at its next batch. Works in the main thread only, where signals arrive."""
    if threading.current_thread() is not threading.main_thread():
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        source.request_stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
