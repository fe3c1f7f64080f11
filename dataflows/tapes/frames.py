"""A frame: what a venue sent, with the time at which it was received. It is not decoded here."""

import msgspec


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One line of a tape or one message of a socket, as received.

    `sequence` is the line number over the merged tape, from 1, without holes: a line that became a dead letter has its
    number too. `receive_time_ns` is the recorder's clock (UTC). `payload` is the raw JSON. `symbol_hint` is ""
    or the one symbol that the other frames of the file name, for a bare REST snapshot, which names none itself.
    """

    sequence: int
    receive_time_ns: int
    payload: bytes
    symbol_hint: str = ""
