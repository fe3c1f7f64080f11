"""The control endpoints of a served exchange, under `/sluice/v1/`: they are no part of any venue's API.

    GET    /sluice/v1/health        whether it serves, its time, its market
    POST   /sluice/v1/advance       {"until_ns": T, "incarnation": I} in lockstep: play up to T; answers {"now_ns",
                                    "user_events", "incarnation"}
    GET    /sluice/v1/user-events   the same answer without moving
    POST   /sluice/v1/faults        a fault, or a list of them; GET lists those that wait, DELETE takes all back

`user_events` counts what was sent so far on the user streams of the account of the key in X-MBX-APIKEY. `incarnation`
names this process: a step that names another one is refused (412), because its streams are gone. Everything but
health is for callers on this machine, or with the control token in X-Sluice-Token.
"""

import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web

from backtest.exchange.serving.faults import Fault, FaultKind, FaultPlan
from backtest.exchange.streams.names import Route

TOKEN_HEADER: Final = "X-Sluice-Token"  # noqa: S105  # the name of a header
_LARGEST_BODY: Final = 64 * 1024
_ROUTES: Final = {"public": Route.PUBLIC, "market": Route.MARKET, "private": Route.PRIVATE, "dstream": Route.COINM,
                  "unrouted": Route.UNROUTED}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Controlled(Protocol):
    """What the endpoints steer."""

    faults: FaultPlan
    lockstep: bool

    def health(self) -> dict[str, Any]:
        """Return what the exchange says of itself."""
        ...

    async def advance(self, until_ns: int) -> None:
        """Play the market up to a time."""

    def progress(self, api_key: str) -> dict[str, int]:
        """Return the exchange's time and the user events sent to the account of a key."""
        ...

    def cut(self, route: Route | None) -> int:
        """Cut the connections of a route, or all."""
        ...

    def expire_listen_keys(self, account: str) -> int:
        """End the listen keys of an account, or all."""
        ...

    def stage_fills(self, fault: Fault | None) -> int:
        """Let fills come late and in parts, or no more; return of how many accounts."""
        ...


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `advance`: a time in nanoseconds since the epoch, and which process is meant; empty for any."""

    until_ns: int
    incarnation: str = ""


class ControlError(Exception):
    """A control request that cannot be done: what must be, and the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class ControlPanel:
    """Answers the control endpoints."""

    def __init__(self, controlled: Controlled, token: str) -> None:
        self._controlled = controlled
        self._token = token
        self._incarnation = secrets.token_hex(8)

    def add_routes(self, application: web.Application) -> None:
        """Add the endpoints to an application."""
        router = application.router
        router.add_get("/sluice/v1/health", self._guarded(self._health, anybody=True))
        router.add_post("/sluice/v1/advance", self._guarded(self._advance))
        router.add_get("/sluice/v1/user-events", self._guarded(self._user_events))
        router.add_post("/sluice/v1/faults", self._guarded(self._add_faults))
        router.add_get("/sluice/v1/faults", self._guarded(self._list_faults))
        router.add_delete("/sluice/v1/faults", self._guarded(self._clear_faults))

    def _guarded(self, handler: Callable[[web.Request], Awaitable[Any]], *, anybody: bool = False) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                if not anybody:
                    self._admit(request)
                return _json(await handler(request))
            except ControlError as error:
                return _json({"error": error.message}, error.status)

        return answer

    def _admit(self, request: web.Request) -> None:
        shown = request.headers.get(TOKEN_HEADER, "").encode(errors="surrogateescape")
        if self._token and hmac.compare_digest(shown, self._token.encode()):
            return
        if not _is_loopback(request.remote):
            raise ControlError("a caller must be on this machine or send the control token, was neither", 403)

    async def _health(self, _request: web.Request) -> Any:
        return self._controlled.health()

    async def _advance(self, request: web.Request) -> Any:
        if not self._controlled.lockstep:
            raise ControlError("pace must be lockstep for a client to move the market, was another", 409)
        step = await _body(request, Advance)
        if not 0 <= step.until_ns < 2**62:
            raise ControlError(f"until_ns must be nanoseconds since the epoch, was {step.until_ns}")
        if step.incarnation not in ("", self._incarnation):
            raise ControlError(f"incarnation must be {self._incarnation}, was another", 412)
        await self._controlled.advance(step.until_ns)
        return await self._user_events(request)

    async def _user_events(self, request: web.Request) -> Any:
        progress = self._controlled.progress(request.headers.get("X-MBX-APIKEY", ""))
        return {**progress, "incarnation": self._incarnation}

    async def _add_faults(self, request: web.Request) -> Any:
        given = await _body(request, Fault | list[Fault])
        return [self._add(fault) for fault in (given if isinstance(given, list) else [given])]

    def _add(self, fault: Fault) -> Any:
        if fault.kind is FaultKind.DISCONNECT:
            if fault.sockets not in ("", *_ROUTES):
                raise ControlError(f"sockets must be one of {', '.join(_ROUTES)} or empty, was {fault.sockets!r}")
            return {"done": self._controlled.cut(_ROUTES.get(fault.sockets))}
        if fault.kind is FaultKind.EXPIRE_LISTEN_KEYS:
            return {"done": self._controlled.expire_listen_keys(fault.account)}
        if fault.kind is FaultKind.STAGED_FILLS:
            return {"done": self._controlled.stage_fills(fault)}
        return self._controlled.faults.add(fault)

    async def _list_faults(self, _request: web.Request) -> Any:
        return {"waiting": list(self._controlled.faults), "happened": self._controlled.faults.happened}

    async def _clear_faults(self, _request: web.Request) -> Any:
        self._controlled.faults.clear()
        self._controlled.stage_fills(None)
        return {"waiting": []}


async def _body(request: web.Request, kind: Any) -> Any:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise ControlError(f"a body must have at most {_LARGEST_BODY} bytes, had more", 413)
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ControlError(f"the body must be JSON as documented: {error}") from None


def _json(document: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), status=status, content_type="application/json")


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
