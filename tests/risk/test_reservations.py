"""Reservations and portfolio under any order of events: what is reserved is what is open, and nothing leaks."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from risk.domain import ExecutionReport, Fill
from risk.portfolio import Portfolio
from risk.reservations import Reservation
from sluice.decimals import ZERO
from sluice.errors import InvariantError
from sluice.orders import ReportKind, Side
from tests.risk.builders import BALANCES, BTC, CATALOG, COIN, ETH, MARKS, NOON

LOTS = {BTC: Decimal("0.001"), ETH: Decimal("0.01"), COIN: Decimal(1)}
ENDS = [ReportKind.CANCELED, ReportKind.REJECTED, ReportKind.EXPIRED, ReportKind.NOT_SENT]
KEEPS = [ReportKind.SUBMITTED, ReportKind.ACCEPTED, ReportKind.UNKNOWN, ReportKind.CANCEL_REQUESTED,
         ReportKind.CANCEL_REJECTED]


@dataclass
class OpenOrder:
    """What a test knows of an order that it has had approved."""

    reservation: Reservation
    left: Decimal
    filled: Decimal = ZERO
    ended: bool = False


@dataclass
class Told:
    """Every report there was, in sequence."""

    reports: list[ExecutionReport] = field(default_factory=list)

    def next(self, kind: ReportKind, held: Reservation, *, final: bool, fill: Fill | None = None) -> ExecutionReport:
        report = ExecutionReport(len(self.reports) + 1, NOON, kind, held.decision_id, held.instrument.key, held.side,
                                 final, fill)
        self.reports.append(report)
        return report


class ReservationMachine(RuleBasedStateMachine):
    """Approves orders and lets anything happen to them; old reports come again at any time."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.portfolio = Portfolio(CATALOG, BALANCES)
        self.told = Told()
        self.all: list[OpenOrder] = []

    @rule(target=orders, key=st.sampled_from([BTC, ETH, COIN]), side=st.sampled_from([Side.BUY, Side.SELL]),
          lots=st.integers(1, 50), reducing=st.booleans())
    def approve(self, key: str, side: Side, lots: int, reducing: bool) -> OpenOrder:
        quantity = lots * LOTS[key]
        made = Reservation(f"d-{len(self.all)}", CATALOG.require(key), side, quantity, MARKS[key], reducing, NOON)
        self.portfolio.reservations.reserve(made)
        self.all.append(OpenOrder(made, quantity))
        return self.all[-1]

    @rule(order=orders, kind=st.sampled_from(KEEPS))
    def something_that_ends_nothing(self, order: OpenOrder, kind: ReportKind) -> None:
        if not order.ended:
            self.portfolio.apply(self.told.next(kind, order.reservation, final=False))

    @rule(order=orders, part=st.integers(1, 10))
    def part_fills(self, order: OpenOrder, part: int) -> None:
        if order.ended:
            return
        lot = LOTS[order.reservation.instrument.key]
        quantity = min(order.left, part * lot)
        order.left -= quantity
        order.filled += quantity
        order.ended = order.left == ZERO
        trade = Fill(quantity, order.reservation.worst_price, Decimal("0.01"),
                     order.reservation.instrument.settlement_asset)
        self.portfolio.apply(self.told.next(ReportKind.FILL, order.reservation, final=order.ended, fill=trade))

    @rule(order=consumes(orders), kind=st.sampled_from(ENDS))
    def ends(self, order: OpenOrder, kind: ReportKind) -> None:
        if not order.ended:
            order.ended = True
            self.portfolio.apply(self.told.next(kind, order.reservation, final=True))

    @rule(place=st.integers(0, 1_000))
    def an_old_report_comes_again(self, place: int) -> None:
        if self.told.reports:
            before = [*self.portfolio.reservations], self.portfolio.positions()
            assert not self.portfolio.apply(self.told.reports[place % len(self.told.reports)])
            assert ([*self.portfolio.reservations], self.portfolio.positions()) == before

    @rule()
    def a_report_is_missing(self) -> None:
        btc = CATALOG.require(BTC)
        held = Reservation("d-?", btc, Side.BUY, Decimal(1), Decimal(1), reducing=False, expires_at_ns=0)
        ahead = replace(Told().next(ReportKind.ACCEPTED, held, final=False), sequence=len(self.told.reports) + 2)
        try:
            self.portfolio.apply(ahead)
        except InvariantError:
            return
        raise AssertionError("a gap in the reports must be refused")

    @invariant()
    def reserved_is_what_is_open(self) -> None:
        still_open = {order.reservation.decision_id: order.left for order in self.all if not order.ended}
        assert {held.decision_id: held.quantity for held in self.portfolio.reservations} == still_open
        assert all(held.quantity > ZERO and held.notional > ZERO for held in self.portfolio.reservations)

    @invariant()
    def sums_are_per_side_and_never_netted(self) -> None:
        for key in (BTC, ETH, COIN):
            sums = self.portfolio.reservations.quantities(key)
            for side in (Side.BUY, Side.SELL):
                mine = [o for o in self.all
                        if not o.ended and o.reservation.instrument.key == key and o.reservation.side is side]
                assert sums.of(side) == sum((o.left for o in mine), ZERO)
                assert sums.reducing(side) == sum((o.left for o in mine if o.reservation.reducing), ZERO)

    @invariant()
    def positions_are_the_sum_of_the_fills(self) -> None:
        for key in (BTC, ETH, COIN):
            filled = sum((o.filled * o.reservation.side.sign for o in self.all if o.reservation.instrument.key == key),
                         ZERO)
            assert self.portfolio.position(key).quantity == filled


TestReservations = ReservationMachine.TestCase
TestReservations.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def _history() -> tuple[list[Reservation], list[ExecutionReport]]:
    told, btc = Told(), CATALOG.require(BTC)
    held = [Reservation(f"d-{n}", btc, Side.BUY, Decimal(n), MARKS[BTC], reducing=False, expires_at_ns=NOON)
            for n in range(1, 5)]
    trade = Fill(Decimal(1), Decimal(50_000), Decimal("0.5"), "USDT")
    told.next(ReportKind.ACCEPTED, held[0], final=False)
    told.next(ReportKind.FILL, held[1], final=False, fill=trade)
    told.next(ReportKind.CANCELED, held[1], final=True)
    told.next(ReportKind.FILL, held[0], final=True, fill=trade)
    told.next(ReportKind.NOT_SENT, held[2], final=False)
    told.next(ReportKind.FILL, held[3], final=False, fill=trade)
    return held, told.reports


@given(order=st.permutations(range(4)), doubles=st.lists(st.integers(0, 5), max_size=10))
def test_rebuilding_in_any_order_of_decisions_and_with_doubles_gives_the_same_end(
    order: list[int], doubles: list[int]
) -> None:
    held, reports = _history()
    plain, shuffled = Portfolio(CATALOG, BALANCES), Portfolio(CATALOG, BALANCES)
    for number in range(4):
        plain.reservations.reserve(held[number])
        shuffled.reservations.reserve(held[order[number]])
    for report in reports:
        plain.apply(report)
        shuffled.apply(report)
        for double in doubles:
            if reports[double].sequence <= report.sequence:
                shuffled.apply(reports[double])
    assert [*shuffled.reservations] == [*plain.reservations]
    assert shuffled.positions() == plain.positions()
    assert [each.decision_id for each in plain.reservations] == ["d-4"]


def test_an_unknown_outcome_keeps_the_reservation() -> None:
    held, _ = _history()
    portfolio = Portfolio(CATALOG, BALANCES)
    portfolio.reservations.reserve(held[0])
    portfolio.apply(Told().next(ReportKind.UNKNOWN, held[0], final=False))
    kept = portfolio.reservations.get("d-1")
    assert kept is not None
    assert kept.sent
    assert portfolio.reservations.never_sent(NOON + 1) == []


def test_fees_in_another_asset_leave_that_assets_balance() -> None:
    portfolio = Portfolio(CATALOG, {"USDT": Decimal(100), "BNB": Decimal(5)})
    held, _ = _history()
    trade = Fill(Decimal(1), Decimal(10), Decimal("0.25"), "BNB")
    portfolio.apply(Told().next(ReportKind.FILL, held[0], final=True, fill=trade))
    usdt, bnb = (portfolio.equity(asset, lambda _: Decimal(10)) for asset in ("USDT", "BNB"))
    assert usdt is not None
    assert bnb is not None
    assert (usdt.equity, bnb.equity) == (Decimal(100), Decimal("4.75"))


def test_equity_is_unknown_while_a_held_position_has_no_price() -> None:
    portfolio = Portfolio(CATALOG, BALANCES)
    held, _ = _history()
    trade = Fill(Decimal(1), Decimal(50_000), ZERO, "USDT")
    portfolio.apply(Told().next(ReportKind.FILL, held[0], final=True, fill=trade))
    assert portfolio.equity("USDT", lambda _: None) is None
    assert portfolio.gross_exposure(lambda _: None, {}) is None
