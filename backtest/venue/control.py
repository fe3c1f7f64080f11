"""The control endpoints of a served exchange, as a client in lock-step calls them."""

import asyncio
from typing import Final

import aiohttp
import msgspec

from sluice.errors import NotRunningError

_TIMEOUT_S: Final = 120.0
#: An exchange that was killed is started again within this.
_PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.2


class Progress(msgspec.Struct, frozen=True):
    """How far the exchange is: its time, and how many user events it has sent to the account."""

    now_ns: int
    user_events: int


class ExchangeControl:
    """Moves an exchange. `base_url` is that of its REST interface."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-MBX-APIKEY": api_key}
        self._session: aiohttp.ClientSession | None = None

    async def advance(self, until_ns: int) -> Progress:
        """Play the market up to and including a time. Raises `NotRunningError`."""
        return await self._asked("POST", "advance", msgspec.json.encode({"until_ns": until_ns}))

    async def progress(self) -> Progress:
        """Return how far the exchange is. Raises `NotRunningError`."""
        return await self._asked("GET", "user-events")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _asked(self, method: str, name: str, body: bytes | None = None) -> Progress:
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while True:
            try:
                return await self._once(method, name, body)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise NotRunningError(
                        f"the exchange at {self._base_url} must answer, did not: {type(error).__name__}",
                        fix="see that `sluice serve exchange --pace lockstep` runs") from None
            await asyncio.sleep(_PAUSE_S)

    async def _once(self, method: str, name: str, body: bytes | None) -> Progress:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        url = f"{self._base_url}/sluice/v1/{name}"
        async with self._session.request(method, url, data=body, headers=self._headers) as answer:
            content = await answer.read()
            if answer.status != 200:
                raise NotRunningError(f"the exchange must be in lock-step, answered {answer.status}: {content[:200]!r}",
                                      fix="start it with `sluice serve exchange --pace lockstep`")
            return msgspec.json.decode(content, type=Progress)
