"""The served exchange: one process, one address, with REST, streams, the order API and the control endpoints."""

import asyncio
import logging
import secrets
import string
import time
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from backtest.exchange.core.domain import UserEvent
from backtest.exchange.core.staging import Stages
from backtest.exchange.core.warming import warm
from backtest.exchange.rest.application import MOST_BODY_BYTES, add_exchange_routes
from backtest.exchange.rest.listen_keys import ListenKeys
from backtest.exchange.serving import assembly
from backtest.exchange.serving.control import ControlPanel
from backtest.exchange.serving.event_faults import PlannedEventFaults
from backtest.exchange.serving.faults import Fault, FaultPlan
from backtest.exchange.serving.gateway import ServedGateway
from backtest.exchange.serving.journal import Journal, JournalHead, fingerprint
from backtest.exchange.serving.left_out import LeftOut
from backtest.exchange.serving.listening import bound, shown
from backtest.exchange.serving.market_input import SyntheticInput, TapeInput, first_time_ns, native_events
from backtest.exchange.serving.pace import PaceKind, Timeline, parse_pace
from backtest.exchange.serving.player import Player
from backtest.exchange.serving.runner import MarketRunner, reach_by_waiting, reach_in_lockstep
from backtest.exchange.serving.snapshots import RecordedSnapshots
from backtest.exchange.serving.stream_faults import PlannedStreamFaults
from backtest.exchange.streams.addresses import PATH_PATTERN
from backtest.exchange.streams.cursor import TapeCursor
from backtest.exchange.streams.feed import MarketFeed
from backtest.exchange.streams.hub import Hub
from backtest.exchange.streams.names import Route
from backtest.exchange.streams.sockets import StreamSockets
from backtest.exchange.streams.user_data import UserData
from backtest.metrics import CONNECTIONS, USER_EVENTS
from backtest.synthetic import DEFAULT_START_NS
from sluice.clock import whole_milliseconds_ns
from sluice.config.exchange import ExchangeSettings
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog

_KEY_LETTERS: Final = string.ascii_letters + string.digits
_LISTEN_KEY_LENGTH: Final = 64
_HOUSEKEEPING_S: Final = 1.0
_log: Final = logging.getLogger("backtest.exchange")


class ExchangeService:
    """The whole server. `start`, then `run`, then `stop`."""

    def __init__(self, settings: ExchangeSettings, catalog: InstrumentCatalog) -> None:
        """Take the address, put the parts together, read the head of the tape, compile. Raises `SluiceError`s."""
        self._settings = settings
        self._listener = bound(settings.address)
        pace = parse_pace(settings.pace)
        self.lockstep = pace.kind is PaceKind.LOCKSTEP
        synthetic = not settings.tapes
        if synthetic and self.lockstep:
            raise InputError("lockstep must have a tape, had none", fix="make one with `sluice tape make`")
        self._start_after_ns = int(settings.start_after_s * 1e9)
        start_ns = _first_of_synthetic(settings.rebased, self._start_after_ns)
        self.market = assembly.market_input(settings, catalog, start_ns)
        # A synthetic market is made to begin now and needs no shift.
        self._timeline = Timeline(pace, settings.rebased and not synthetic, time.time_ns, self._start_after_ns)
        self._begins_ns = start_ns if synthetic else first_time_ns(self.market)
        self.exchange = assembly.open_exchange(settings, catalog, self._begins_ns)
        self._left_out = LeftOut(self.exchange.listings)
        if self.lockstep and isinstance(self.market, TapeInput):
            self.market.left_out = self._left_out
        warm(next(iter(self.exchange.listings.values())))
        self.faults = FaultPlan()
        self._hub = Hub()
        self._keys = assembly.key_ring(settings)
        self._listen_keys = ListenKeys(_new_listen_key)
        self._user_data = UserData(self._listen_keys, self._now_ms, PlannedEventFaults(self.faults, self._later))
        self.exchange.user_events.append(self._on_user_event)
        self._runner = self._make_runner()
        self._journal = self._open_journal()
        self._sockets = self._make_sockets()
        self._site: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ended(self) -> asyncio.Event:
        """Return what is set at the end of a tape that is not begun again."""
        return self._runner.ended

    async def start(self) -> str:
        """Serve; return the address as host:port."""
        application = web.Application(client_max_size=MOST_BODY_BYTES)
        gateway = self._make_gateway()
        add_exchange_routes(application, gateway, self._keys, self._listen_keys, assembly.limits(self._settings))
        ControlPanel(self, self._settings.control_token.get_secret_value()).add_routes(application)
        application.router.add_get(PATH_PATTERN, self._sockets.serve)
        application.on_shutdown.append(self._on_shutdown)
        self._site = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=2.0)
        await self._site.setup()
        await web.SockSite(self._site, self._listener).start()
        if isinstance(self.market, TapeInput):
            self._timeline.go_on_from(self.exchange.now_ns)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._runner.run()), loop.create_task(self._keep_house())]
        return shown(self._listener)

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until asked to stop; raises what broke the market, were there such a thing."""
        waiting = asyncio.ensure_future(stopping.wait())
        tasks = {waiting, self._tasks[1], *([] if self.lockstep else self._tasks[:1])}
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        for task in done - {waiting}:
            task.result()

    async def stop(self) -> None:
        """End every connection in order and listen no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._site is not None:
            await self._site.cleanup()
        self._listener.close()
        if self._journal is not None:
            self._journal.close()

    def health(self) -> dict[str, Any]:
        """Return what the exchange says of itself."""
        return {"status": "serving", "market": self.market.name, "pace": self._settings.pace,
                "now_ns": self.exchange.now_ns, "shift_ns": self._timeline.shift_ns,
                "ended": self._runner.ended.is_set(), "connections": len(self._sockets),
                "left_out": {"lines": self._left_out.lines, "by_reason": dict(self._left_out.by_reason)}}

    async def advance(self, until_ns: int) -> None:
        """Play the market up to a time, in lockstep."""
        await self._runner.advance(until_ns)

    def progress(self, api_key: str) -> dict[str, int]:
        """Return the exchange's time and the user events sent to the account of a key."""
        key = self._keys.find(api_key)
        return {"now_ns": self.exchange.now_ns, "user_events": self._user_data.sent[key.account] if key else 0}

    def cut(self, route: Route | None) -> int:
        """Cut the connections of a route, or all."""
        return self._sockets.cut(route)

    def expire_listen_keys(self, account: str) -> int:
        """End the listen keys of an account, or all."""
        ended = [key for key in self._listen_keys if account in ("", key.account) and self._listen_keys.expire(key.key)]
        for key in ended:
            self._user_data.expire(key)
        self._user_data.flush()
        return len(ended)

    def stage_fills(self, fault: Fault | None) -> int:
        """Let fills of the account that a fault names come late and in parts, or (None) those of all as ever."""
        wanted = [name for name in self.exchange.accounts() if fault is None or fault.account in ("", name)]
        stages = None if fault is None else Stages(
            fault.parts, max(0, fault.milliseconds), fault.times, fault.symbol)
        for account in wanted:
            self.exchange.stage_fills(account, stages)
        return len(wanted)

    def _now_ms(self) -> int:
        return self._runner.now_ms()

    def _on_user_event(self, event: UserEvent) -> None:
        USER_EVENTS.labels(kind=event.kind).inc()
        self._user_data.on_event(event)

    def _later(self, milliseconds: int, due: Callable[[], UserEvent | None]) -> None:
        def send() -> None:
            if (event := due()) is not None:
                self._user_data.deliver(event)
                self._user_data.flush()

        asyncio.get_running_loop().call_later(max(0, milliseconds) / 1000, send)

    def _flush(self) -> None:
        self._hub.flush()
        self._user_data.flush()

    def _make_runner(self) -> MarketRunner:
        native = set() if self.lockstep else native_events(self.market)
        feed = None
        # Looking at the tape takes a while: time begins only after it.
        made_now = isinstance(self.market, SyntheticInput) and self._settings.rebased
        self._timeline.begin(self._begins_ns, self._begins_ns + self._start_after_ns if made_now else None)
        if not self.lockstep:
            if self._timeline.shift_ns:
                native = {(event, symbol) for event, symbol in native if event != "kline"}
            feed = MarketFeed(self._hub, self.exchange.market, self.exchange.listings, native,
                              PlannedStreamFaults(self.faults))
            self.exchange.public_events.append(feed.on_public)
        self._player = Player(self.market, self._timeline, self.exchange, feed)
        return MarketRunner(self._player, self._timeline, self._hub, lambda: self.exchange.now_ns, self._flush,
                            loop=self._settings.at_end == "loop")

    def _open_journal(self) -> Journal | None:
        """Rebuild the exchange from its journal, if it has one, and go on writing it."""
        if self._settings.journal is None:
            return None
        if not isinstance(self.market, TapeInput) or self._timeline.rebased:
            raise InputError("a journal must belong to a tape in its recorded time, did not",
                             fix='set exchange.tapes, and exchange.time = "recorded" or pace = "lockstep"')
        head = JournalHead(self.market.name, fingerprint(self.market.tapes), assembly.rules(self._settings))
        journal = Journal(self._settings.journal, head)
        self._player.rebuild(self.exchange, journal.commands)
        self.exchange.command_listeners.append(journal.append)
        return journal

    def _make_sockets(self) -> StreamSockets:
        cursor = None
        if self.lockstep:
            assert isinstance(self.market, TapeInput)
            cursor = TapeCursor(self.market.reader, PlannedStreamFaults(self.faults))
        return StreamSockets(
            self._hub, self._user_data, steady_s=time.monotonic, now_ms=self._now_ms,
            most_unsent_bytes=self._settings.most_unsent_mb * 1024 * 1024, cursor=cursor)

    def _make_gateway(self) -> ServedGateway:
        latency_ms = self._settings.order_latency_ms
        if self.lockstep:
            assert isinstance(self.market, TapeInput)
            reach = reach_in_lockstep(self._runner, latency_ms)
            return ServedGateway(self.exchange, self._now_ms, reach, self.faults, RecordedSnapshots(self.market),
                                 self._user_data.flush)
        reach = reach_by_waiting(self._timeline, latency_ms)
        return ServedGateway(self.exchange, self._now_ms, reach, self.faults, flush=self._user_data.flush)

    async def _keep_house(self) -> None:
        while True:
            self._sockets.keep_alive()
            self._user_data.expire_due()
            self._user_data.flush()
            CONNECTIONS.set(len(self._sockets))
            await asyncio.sleep(_HOUSEKEEPING_S)

    async def _on_shutdown(self, _application: web.Application) -> None:
        await self._sockets.close()


def _first_of_synthetic(rebased: bool, start_after_ns: int) -> int:
    """Return where a synthetic market begins: so long ago that what is played at once ends now, or on its usual day."""
    now_ns = whole_milliseconds_ns(time.time_ns())
    return now_ns - start_after_ns if rebased else DEFAULT_START_NS


def _new_listen_key() -> str:
    return "".join(secrets.choice(_KEY_LETTERS) for _ in range(_LISTEN_KEY_LENGTH))
