"""What all judges share: they run steps against an exchange and tell how each went.

Each step prints one line of JSON, {"step", "ok", "seen"}; the last line has the step "end". The exit status is 1 where
a step failed. Judges are run by the interpreter of their own environment and never imported by the project.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

STEP_TIMEOUT_S = 30


class Judge:
    """Runs steps; a failed one is told and the next begins."""

    def __init__(self) -> None:
        self.failed = False

    async def attempt(self, step: Callable[[], Awaitable[Any]]) -> None:
        """Run one step and tell how it went."""
        name = getattr(step, "__name__", "step")
        try:
            self.tell(name, True, await asyncio.wait_for(step(), STEP_TIMEOUT_S))
        except Exception as error:  # noqa: BLE001  # whatever a client raises is a verdict
            self.tell(name, False, f"{type(error).__name__}: {error}"[:800])

    async def attempt_all(self, steps: Iterable[Callable[[], Awaitable[Any]]]) -> None:
        """Run steps in their order."""
        for step in steps:
            await self.attempt(step)

    def tell(self, step: str, ok: bool, seen: object) -> None:
        """Print how a step went."""
        self.failed |= not ok
        print(json.dumps({"step": step, "ok": ok, "seen": seen}, default=str), flush=True)

    def end(self) -> int:
        """Print the last line and return the exit status."""
        self.tell("end", not self.failed, None)
        return int(self.failed)


async def until(happened: Callable[[], Any], what: str, timeout_s: float = STEP_TIMEOUT_S - 5) -> Any:
    """Wait until something is true of what streams have told, and return it. Raises `AssertionError`."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not (found := happened()):
        assert asyncio.get_running_loop().time() < deadline, f"{what} must come, did not"
        await asyncio.sleep(0.02)
    return found
