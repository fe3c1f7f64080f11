"""An unmodified ccxt.pro that asks an exchange for too much.

    python ccxt_limits.py binanceusdm host:port KEY SECRET

It leaves its address banned for two minutes of the exchange's time, so it comes last.
"""

import asyncio
import sys
from typing import Any

import ccxt.pro as ccxt
from ccxt_client import pointed_at
from judging import Judge

_MOST_REQUESTS = 200


class Limits(Judge):
    """The steps, in their order."""

    def __init__(self, client: Any) -> None:
        super().__init__()
        self.client = client

    async def run(self) -> int:
        """Go through all steps."""
        await self.attempt_all((self.too_much_is_refused, self.going_on_is_banned))
        return self.end()

    async def refused(self) -> int:
        """Ask for the heaviest answer there is until it is refused; return the HTTP status of the refusal."""
        for _ in range(_MOST_REQUESTS):
            try:
                await self.client.fapiPublicGetHistoricalTrades({"symbol": "BTCUSDT", "limit": 1})
            except ccxt.DDoSProtection as error:
                return 418 if "banned until" in str(error) else 429
        raise AssertionError(f"{_MOST_REQUESTS} heavy requests must not all be answered, were")

    async def too_much_is_refused(self) -> Any:
        """Beyond the limit the client raises DDoSProtection, and the answer says when to come again."""
        self.client.enableRateLimit = False
        assert await self.refused() == 429, "the first refusal is 429"
        headers = self.client.last_response_headers
        assert 1 <= int(headers["Retry-After"]) <= 60, f"Retry-After must be within a minute, was {headers}"
        return {"Retry-After": headers["Retry-After"], "used": headers.get("X-MBX-USED-WEIGHT-1M")}

    async def going_on_is_banned(self) -> Any:
        """Who goes on is banned."""
        refusals = [await self.refused() for _ in range(15)]
        assert refusals[-1] == 418, f"the ban must come, came {refusals}"
        return {"Retry-After": self.client.last_response_headers["Retry-After"]}


async def main(name: str, *arguments: str) -> int:
    """Ask for too much and return the exit status."""
    client = pointed_at(name, *arguments)
    try:
        return await Limits(client).run()
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
