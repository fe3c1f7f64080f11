"""No order without a signed approval, in a backtest too: what is forged, changed, used or stale does not pass."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backtest.system.desk import InProcessDesk
from backtest.system.rooms import Rooms, make_rooms
from backtest.system.run import load_bundle
from backtest.venue import SimulatedVenue
from dataflows.actors.market import BookTop, FeatureRow
from dataflows.actors.strategy_domain import OrderKind, PlaceOrder
from dataflows.desk.desk import Approved, Sent, Vetoed
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from sluice.config import Settings
from sluice.config.loading import catalog_of
from sluice.decimals import ZERO
from sluice.envelope import Signer
from sluice.orders import Side
from sluice.risk.v1.approval_pb2 import Approval, SignedApproval
from sluice.risk.v1.order_pb2 import Order

KEY = "BINANCE_USDM:SOLUSDT"
SECOND_NS = 1_000_000_000


class World:
    """Risk and execution after the first seconds of a tape, and a desk between them."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        catalog = catalog_of(settings)
        first = next(item for item in TapeReader(settings.source.tapes) if isinstance(item, Frame))
        self.now_ns = first.receive_time_ns + 10 * SECOND_NS
        venue = SimulatedVenue.playing(settings, catalog, iter(TapeReader(settings.source.tapes)))
        self.rooms: Rooms = make_rooms(settings, venue)
        loop.run_until_complete(self.rooms.open())
        self.desk = InProcessDesk(loop, self.rooms, load_bundle(settings), catalog, "test")
        self.desk.advance(self.now_ns)
        top = venue._exchange.market("SOLUSDT").top()
        self.bid, self.ask = top.bid, top.ask
        self.observe()

    def observe(self) -> None:
        """Tell risk the market of now."""
        width = len(MARKET_SCHEMA.features)
        top = BookTop(float(self.bid), 100.0, float(self.ask), 100.0, float(self.bid), True, self.now_ns)
        row = FeatureRow(KEY, self.now_ns, 1, MARKET_SCHEMA.hash, (0.0,) * width, (True,) * width, top, 1, 0)
        self.desk.observe(self.now_ns, [row], self.rooms.execution.desk.ledger.last_sequence)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += int(seconds * SECOND_NS)
        self.desk.advance(self.now_ns)
        self.observe()

    def asked(self, name: str = "1", away: Decimal = ZERO) -> Approved | Vetoed:
        """Ask risk for a resting buy order at the best bid, or somewhat away from it."""
        return self.desk.evaluate(PlaceOrder(
            f"test/{name}", KEY, Side.BUY, OrderKind.POST_ONLY, Decimal(1), self.bid - away, False, Decimal("0.1"),
            self.now_ns, 1), "model", self.rooms.execution.desk.ledger.last_sequence)

    def approved(self, name: str = "1") -> Approved:
        """Return an approval of such an order."""
        found = self.asked(name)
        assert isinstance(found, Approved)
        return found

    def orders(self) -> int:
        """Return how many orders execution has, and check that the venue has been asked for no other."""
        orders = list(self.rooms.execution.desk.ledger.orders())
        at_venue = {command[1] for command in self.rooms.execution.desk.venue._applied}  # type: ignore[attr-defined]  # the venue's own count
        assert at_venue <= {order.client_order_id for order in orders}
        return len(orders)


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    with asyncio.Runner() as runner:
        yield World(settings, runner.get_loop())


def test_what_risk_approves_is_sent_once(world: World) -> None:
    approval = world.approved()
    assert world.desk.submit(approval) is Sent.YES
    assert world.orders() == 1
    assert world.desk.submit(approval) is Sent.YES  # it is there already
    assert world.orders() == 1


def test_what_risk_refuses_has_nothing_to_send(world: World) -> None:
    off_tick = world.asked(away=Decimal("0.00001"))
    assert isinstance(off_tick, Vetoed)
    assert off_tick.reasons == ("PRICE_TICK",)
    world.now_ns -= 100 * SECOND_NS
    late = world.asked("2")
    assert isinstance(late, Vetoed)
    assert "INTENT_TIME" in late.reasons
    assert world.orders() == 0


def forged(approval: SignedApproval) -> SignedApproval:
    return Signer(Ed25519PrivateKey.generate()).sign(Approval.FromString(approval.payload))


def renamed(approval: SignedApproval) -> SignedApproval:
    """A forged one that says that it was signed with the trusted key."""
    other = forged(approval)
    other.key_id = approval.key_id
    return other


def enlarged(approval: SignedApproval) -> SignedApproval:
    inside = Approval.FromString(approval.payload)
    order = Order.FromString(inside.order)
    order.quantity = "1000"
    inside.order = order.SerializeToString()
    return SignedApproval(payload=inside.SerializeToString(), signature=approval.signature, key_id=approval.key_id)


@pytest.mark.parametrize("attack", [forged, renamed, enlarged])
def test_what_risk_has_not_signed_reaches_nothing(world: World, attack: object) -> None:
    assert callable(attack)
    approval = world.approved()
    assert world.desk.submit(replace(approval, signed=attack(approval.signed))) is Sent.NO
    assert world.orders() == 0
    assert world.desk.submit(approval) is Sent.YES  # and the true one is none the worse for it


def test_an_approval_that_is_too_old_is_refused_and_released(world: World) -> None:
    approval = world.approved()
    world.later(3)
    assert world.desk.submit(approval) is Sent.NO
    assert world.orders() == 0
    world.later(1)
    assert not list(world.rooms.risk.engine.portfolio.reservations)


def test_an_approval_that_nobody_uses_is_burnt_and_released(world: World) -> None:
    approval = world.approved()
    assert len(list(world.rooms.risk.engine.portfolio.reservations)) == 1
    for _ in range(8):
        world.later(1)
    assert not list(world.rooms.risk.engine.portfolio.reservations)
    assert world.desk.submit(approval) is Sent.NO
    assert world.orders() == 0


def test_an_approval_of_an_older_epoch_is_stale_until_risk_signs_it_anew(world: World) -> None:
    approval = world.approved()
    world.desk._run(world.rooms.risk.exclusively(world.rooms.risk.advance_epoch))
    assert world.desk.submit(approval) is Sent.STALE
    assert world.orders() == 0
    again = world.approved()
    assert again.decision_id == approval.decision_id
    assert world.desk.submit(again) is Sent.YES
    assert world.orders() == 1
