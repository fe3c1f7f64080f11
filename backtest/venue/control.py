"""The control endpoints of a served exchange, as a client in lock-step calls them."""

import asyncio
from typing import Final

import aiohttp
import msgspec

from sluice.errors import NotRunningError

_TIMEOUT_S: Final = 120.0
#: An exchange that was killed is started again within this.
_PATIENCE_S: Final = 90.0
_PAUSE_S: Final = 0.1
_OTHER_INCARNATION: Final = 412


class ExchangeRestartedError(Exception):
    """The exchange that was joined is gone: it was killed, or another process answers in its place."""


class Progress(msgspec.Struct, frozen=True):
    """How far the exchange is: its time, how many user events it has sent to the account, and which process it is."""

    now_ns: int
    user_events: int
    incarnation: str


class ExchangeControl:
    """Moves an exchange that was joined. `base_url` is that of its REST interface."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-MBX-APIKEY": api_key}
        self._session: aiohttp.ClientSession | None = None
        self._incarnation = ""

    async def join(self) -> Progress:
        """Wait until the exchange answers and take it for the one that is meant. Raises `NotRunningError`."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        self._incarnation = ""
        while True:
            try:
                found = await self.progress()
            except ExchangeRestartedError as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise NotRunningError(
                        f"the exchange at {self._base_url} must answer, did not: {error}",
                        fix="see that `sluice serve exchange --pace lockstep` runs") from None
                await asyncio.sleep(_PAUSE_S)
                continue
            self._incarnation = found.incarnation
            return found

    async def advance(self, until_ns: int) -> Progress:
        """Play the market up to and including a time. Raises `ExchangeRestartedError` and `NotRunningError`."""
        return await self._asked("POST", "advance", {"until_ns": until_ns, "incarnation": self._incarnation})

    async def progress(self) -> Progress:
        """Return how far the exchange is. Raises `ExchangeRestartedError` and `NotRunningError`."""
        return await self._asked("GET", "user-events", None)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _asked(self, method: str, name: str, body: dict[str, object] | None) -> Progress:
        data = msgspec.json.encode(body) if body else None
        try:
            status, content = await self._once(method, f"{self._base_url}/sluice/v1/{name}", data)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ExchangeRestartedError(str(error) or type(error).__name__) from None
        if status == _OTHER_INCARNATION:
            raise ExchangeRestartedError("another process answers")
        if status != 200:
            raise NotRunningError(f"the exchange must be in lock-step, answered {status}: {content[:200]!r}",
                                  fix="start it with `sluice serve exchange --pace lockstep`")
        found = msgspec.json.decode(content, type=Progress)
        if self._incarnation not in ("", found.incarnation):
            raise ExchangeRestartedError("another process answers")
        return found

    async def _once(self, method: str, url: str, data: bytes | None) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        async with self._session.request(method, url, data=data, headers=self._headers) as answer:
            return answer.status, await answer.read()
