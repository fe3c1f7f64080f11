"""Frames as messages of the topic `raw`: many of one instrument to a message, in an order that holds in each partition.

A message's event time is the receive time of its last frame, and no message spans more than `LONGEST_SPAN_NS`. So the
first message of a time or later holds the first frame of that time or later, and what comes more than a span after a
time holds none before it.
"""

from collections.abc import Iterator
from typing import Final

from dataflows.sinks.kafka import OutgoingMessage
from dataflows.tapes.frames import Frame
from sluice.instruments import Instrument
from sluice.market.v1 import market_pb2

#: Frames of one message lie in one stretch of this length of the time axis.
LONGEST_SPAN_NS: Final = 100_000_000
#: Most payload bytes that wait together, if a topic takes twice as much in one message. A larger frame goes alone.
FULL_BYTES: Final = 256 * 1024


class FrameMessages:
    """Gathers frames of many instruments into messages. Receive times must not go back.

    All that is open is given together, by the time of the last frame: then event times never go back in any partition.
    """

    def __init__(self, max_message_bytes: int) -> None:
        """`max_message_bytes` is the topic's."""
        self._full = min(FULL_BYTES, max_message_bytes // 2)
        self._open: dict[str, market_pb2.RawFrames] = {}
        self._stretch = 0
        self._bytes = 0

    def add(self, frame: Frame, instrument: Instrument) -> Iterator[OutgoingMessage]:
        """Take a frame; yield the messages that are full before it."""
        stretch = frame.receive_time_ns // LONGEST_SPAN_NS
        if stretch != self._stretch or self._bytes + len(frame.payload) > self._full:
            yield from self.rest()
            self._stretch = stretch
        key = instrument.key
        message = self._open.get(key) or self._open.setdefault(key, market_pb2.RawFrames(instrument=key))
        message.frames.add(venue=market_pb2.Venue.Value(f"VENUE_{instrument.venue.name}"),
                           receive_time_ns=frame.receive_time_ns, payload=frame.payload, sequence=frame.sequence)
        self._bytes += len(frame.payload)

    def rest(self) -> Iterator[OutgoingMessage]:
        """Yield what is open."""
        made, self._open, self._bytes = self._open, {}, 0
        for key, message in sorted(made.items(), key=lambda each: each[1].frames[-1].receive_time_ns):
            yield OutgoingMessage(key, message.SerializeToString(), message.frames[-1].receive_time_ns)
