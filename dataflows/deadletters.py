"""Dead letters: frames that could not be used, kept with the reason and counted, so that no bad input stops a stream.

The reasons are those of `sluice.market.v1.DeadLetterReason`, same names and numbers. This module holds no policy: who
finds a bad frame says why, and who runs the stream decides where dead letters go.
"""

from enum import IntEnum

import msgspec

#: Bytes of a bad frame that are kept with its dead letter.
PAYLOAD_LIMIT = 512


class DeadLetterReason(IntEnum):
    """Why a frame became a dead letter; the numbers are the contract's."""

    MALFORMED_LINE = 1
    MALFORMED_JSON = 2
    MALFORMED_EVENT = 3
    UNKNOWN_EVENT = 4
    UNKNOWN_INSTRUMENT = 5
    INVALID_PRICE = 6
    INVALID_QUANTITY = 7
    SEQUENCE_GAP = 8
    TIME_REVERSED = 9
    TRUNCATED_FILE = 10
    CROSSED_BOOK = 11
    UNATTRIBUTED_SNAPSHOT = 12
    TIME_JUMPED = 13
    FAR_PRICE = 14
    DUPLICATE_ID = 15
    WRONG_SYMBOL = 16
    WRONG_EVENT = 17
    LOCKED_BOOK = 18
    EMPTY_TRADE = 19
    MISSING_IDS = 20
    ID_REVERSED = 21
    INVALID_TIME = 22
    EVENT_TIME_REVERSED = 23
    TRANSACTION_TIME_REVERSED = 24
    EVENT_FROM_FUTURE = 25
    LATE_RECEIPT = 26
    STALE_STREAM = 27
    OUTLIER = 28
    FAR_LEVEL = 29
    OUTSIDE_DAY = 30
    INCONSISTENT_UPDATE = 31


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """A frame that could not be used, with why.

    `message` reads "X must be Y, was Z". `sequence` is the line number over the merged tape (0: no line of its own, as
    of a file that ends early), `receive_time_ns` 0 where the line had no time. `payload` is cut to `PAYLOAD_LIMIT`
    bytes. `instrument` is an instrument's key, or "" where none is known.
    """

    reason: DeadLetterReason
    message: str
    sequence: int
    receive_time_ns: int
    payload: bytes
    instrument: str = ""

    def __post_init__(self) -> None:
        """Cut the payload: a dead letter stays small whatever was received."""
        if len(self.payload) > PAYLOAD_LIMIT:
            msgspec.structs.force_setattr(self, "payload", self.payload[:PAYLOAD_LIMIT])
