"""One WebSocket connection: opened, read until it ends, and answered with pongs. What comes is handed on as bytes.

It knows nothing of streams, books or time. Messages in parts are put together; a message beyond `MAX_MESSAGE_BYTES`
ends the connection.
"""

import asyncio
from contextlib import suppress
from typing import Protocol

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
OPEN_TIMEOUT_S, END_TIMEOUT_S = 10.0, 1.0
#: An idle connection is asked for a sign of life; one that gives none in this time is over.
IDLE_S = 30.0


class Receiver(Protocol):
    """Who gets what a connection brings."""

    def on_message(self, connection: "Connection", payload: bytes) -> None:
        """Take a message."""
        ...

    def on_ping(self, connection: "Connection", payload: bytes) -> None:
        """Take the payload of a PING, which is answered anyway."""
        ...


class Connection(WSListener):
    """An open connection. `close` ends it; `closed` waits for its end."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: WSTransport | None = None
        self._parts: list[bytes] = []
        self._pong: bytes | None = None
        self.reason = ""

    @classmethod
    async def open(cls, url: str, receiver: Receiver) -> "Connection":
        """Open a connection. Raises `ConnectionError` with the reason where that is not possible."""
        opening = asyncio.ensure_future(ws_connect(
            lambda: cls(receiver), url, websocket_handshake_timeout=OPEN_TIMEOUT_S, enable_auto_pong=False,
            enable_auto_ping=True, auto_ping_idle_timeout=IDLE_S, auto_ping_reply_timeout=IDLE_S / 2,
            max_frame_size=MAX_MESSAGE_BYTES, max_redirects=0))
        try:
            _, listener = await asyncio.shield(opening)
        except (OSError, WSError) as error:
            raise ConnectionError(_reason(error)) from error
        except asyncio.CancelledError:
            await _abandon(opening)
            raise
        assert isinstance(listener, cls)
        return listener

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Hand a message on, answer a PING, follow a CLOSE."""
        if self.reason:
            return  # what is still in the buffer of a connection that was ended
        kind = frame.msg_type
        if kind is WSMsgType.TEXT and frame.fin:
            self._receiver.on_message(self, frame.get_payload_as_bytes())
        elif kind is WSMsgType.PING:
            self._pong = frame.get_payload_as_bytes()
            self._receiver.on_ping(self, self._pong)
        elif kind is WSMsgType.CLOSE:
            self.close(f"closed by the exchange: {_close_text(frame)}")
        elif kind in {WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION}:
            self._take_part(frame)
        if self._pong is not None and frame.last_in_buffer:  # only the newest of several needs an answer
            transport.send_pong(self._pong)
            self._pong = None

    def close(self, reason: str) -> None:
        """End the connection. The first reason given is the one that counts."""
        self.reason = self.reason or reason
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def pause(self) -> None:
        """Stop reading: the exchange's side fills up and waits."""
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.underlying_transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.underlying_transport.resume_reading()

    async def end(self, reason: str) -> None:
        """End the connection and see it gone, also where the caller is being cancelled."""
        self.close(reason)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closed(), END_TIMEOUT_S)

    async def closed(self) -> str:
        """Wait for the end and return its reason."""
        assert self._transport is not None
        try:
            await self._transport.wait_disconnected()
        except (OSError, WSError) as error:
            self.reason = self.reason or _reason(error)
        return self.reason or "the connection broke"

    def _take_part(self, frame: WSFrame) -> None:
        self._parts.append(frame.get_payload_as_bytes())
        if sum(map(len, self._parts)) > MAX_MESSAGE_BYTES:
            self.close(f"a message must be at most {MAX_MESSAGE_BYTES} bytes, was longer")
        elif frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self._receiver.on_message(self, whole)


async def _abandon(opening: "asyncio.Future[tuple[WSTransport, WSListener]]") -> None:
    """See a connection that nobody wants any more to its end: one that is cut off half open is never closed."""
    await asyncio.wait({opening}, timeout=END_TIMEOUT_S)
    if not opening.done():
        opening.cancel()
    elif opening.exception() is None:
        transport, _ = opening.result()
        transport.disconnect(graceful=False)
        await transport.wait_disconnected()


def _close_text(frame: WSFrame) -> str:
    code = frame.get_close_code()
    return f"{getattr(code, 'value', code)} {(frame.get_close_message() or b'').decode('utf-8', 'replace')}".strip()


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
