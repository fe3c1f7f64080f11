"""The user stream of one product: its key, its connection, and both made again for ever.

A connection is replaced before the exchange ends it: the new one reads before the old one closes, so that nothing falls
between. After every other join something may have been missed, and the listener is told so. Messages may repeat.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp

from execution.venues.binance.inquiry import Sleep
from execution.venues.binance.outcomes import NO_SUCH_STREAM_KEY, RequestFailed
from execution.venues.binance.products import KEEP_USER_STREAM, START_USER_STREAM, Product
from execution.venues.binance.rest import Caller, words
from execution.venues.binance.wire import ListenKey, read
from execution.venues.interface import VenueOutcomeUnknown
from sluice.config.binance import BinanceSettings

_log = logging.getLogger("execution.venues.binance")
#: The client's own ping finds a connection that is gone without a word.
_PING_S: Final = 15.0
_RETRY_KEY_S: Final = 30.0
_FAILURES = (VenueOutcomeUnknown, RequestFailed, aiohttp.ClientError, TimeoutError, OSError)


class Listener(Protocol):
    """Who hears the stream."""

    def on_message(self, product: Product, payload: bytes) -> None:
        """Take a message as it was received."""
        ...

    def on_gap(self, product: Product) -> None:
        """Take note that messages may have been missed."""
        ...

    def on_bug(self, product: Product, error: BaseException) -> None:
        """Take note that the stream has ended for good."""
        ...


@dataclass(frozen=True, slots=True)
class StreamTerms:
    """Where a stream is and how patient it is; seconds."""

    product: Product
    base_url: str
    keepalive_s: float
    life_s: float
    first_pause_s: float
    longest_pause_s: float
    timeout_s: float

    @classmethod
    def from_settings(cls, settings: BinanceSettings, product: Product, base_url: str) -> "StreamTerms":
        """Return the terms of the configuration."""
        return cls(product, base_url, settings.keepalive_s, settings.connection_life_s, settings.reconnect_ms / 1000,
                   settings.reconnect_most_ms / 1000, settings.request_timeout_ms / 1000)


class UserStream:
    """Follows the user stream of a product. `start`, later `close`."""

    def __init__(self, session: aiohttp.ClientSession, caller: Caller, terms: StreamTerms, listener: Listener,
                 sleep: Sleep) -> None:
        self._session = session
        self._caller = caller
        self._terms = terms
        self._listener = listener
        self._sleep = sleep
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._key_lost = asyncio.Event()
        self._joined = asyncio.Event()

    async def start(self) -> None:
        """Begin, and return when the stream has been joined once."""
        for work in (self._run(), self._keep_key()):
            self._spawn(work).add_done_callback(self._ended_for_good)
        await self._joined.wait()

    async def close(self) -> None:
        """Leave the stream."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    def lose_key(self) -> None:
        """Take note that the key has expired: a new one and a new connection are needed."""
        self._key_lost.set()

    async def _run(self) -> None:
        rotation = False
        reader: asyncio.Task[None] | None = None
        while True:
            socket = await self._join()
            # An old connection that broke while the new one was made has left a gap too.
            whole = rotation and reader is not None and not reader.done()
            reader = self._spawn(self._read(socket))
            old, self._socket = self._socket, socket
            if self._joined.is_set() and not whole:
                self._listener.on_gap(self._terms.product)
            self._joined.set()
            if old is not None:
                await old.close()
            rotation = await self._until_over(reader)

    async def _until_over(self, reader: "asyncio.Task[None]") -> bool:
        """Return when a new connection is needed; tell whether the present one still reads."""
        lost = asyncio.ensure_future(self._key_lost.wait())
        await asyncio.wait({reader, lost}, timeout=self._terms.life_s, return_when=asyncio.FIRST_COMPLETED)
        key_lost = self._key_lost.is_set()
        lost.cancel()
        self._key_lost.clear()
        if reader.done():
            _log.warning("the user stream of %s broke and is joined again", self._terms.product.name)
        return not reader.done() and not key_lost

    async def _join(self) -> aiohttp.ClientWebSocketResponse:
        pause_s = self._terms.first_pause_s
        while True:
            try:
                return await self._connect()
            except _FAILURES as error:
                _log.warning("the user stream of %s cannot be joined, next try in %g s: %s",
                             self._terms.product.name, pause_s, words(error))
            await self._sleep(pause_s)
            pause_s = min(pause_s * 2, self._terms.longest_pause_s)

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        body = await self._caller.call(self._terms.product, START_USER_STREAM, {})
        url = self._terms.product.user_stream(self._terms.base_url, read(body, ListenKey).listen_key)
        return await asyncio.wait_for(self._session.ws_connect(url, heartbeat=_PING_S), self._terms.timeout_s)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._listener.on_message(self._terms.product, message.data.encode())
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._listener.on_message(self._terms.product, message.data)

    async def _keep_key(self) -> None:
        pause_s = self._terms.keepalive_s
        while True:
            # A key ages by the machine's clock, whatever time the venue is led by.
            await asyncio.sleep(pause_s)
            pause_s = self._terms.keepalive_s
            try:
                await self._caller.call(self._terms.product, KEEP_USER_STREAM, {})
            except RequestFailed as error:
                if error.outcome.code in NO_SUCH_STREAM_KEY:
                    self.lose_key()
                pause_s = min(pause_s, _RETRY_KEY_S)
            except VenueOutcomeUnknown:
                pause_s = min(pause_s, _RETRY_KEY_S)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended_for_good(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._listener.on_bug(self._terms.product, error)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        with suppress(asyncio.CancelledError):
            if (error := task.exception()) is not None:
                _log.error("the user stream of %s met a bug", self._terms.product.name, exc_info=error)
