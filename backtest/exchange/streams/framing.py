"""Frames of WebSocket as a server sends them (RFC 6455), made once and shared by every connection that gets them.

A server does not mask, so the bytes of a message are the same for all its readers. Reading is left to the library.
"""

from typing import Final

_TEXT: Final = 0x81
_PING: Final = 0x89


def text_frame(payload: bytes) -> bytes:
    """Return an unfragmented text message."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65536:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + payload


def ping_frame(payload: bytes) -> bytes:
    """Return a ping; its payload has at most 125 bytes."""
    return bytes((_PING, len(payload))) + payload


def wrapped(stream: bytes, data: bytes) -> bytes:
    """Return the envelope of a combined stream around a message."""
    return b'{"stream":"' + stream + b'","data":' + data + b"}"
