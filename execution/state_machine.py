"""The order state machine: what happened to an order, and where it stands then.

The status is a function of the facts that are known, not of the order in which they came, so late, repeated and
shuffled events end in the same state. `LEGAL` is the table of transitions that this can make; anything else is a bug.
Rules: a full fill outweighs every other word of the venue; a final word outweighs what is under way; a missing answer
(UNKNOWN) lasts until the venue says something about the order; a fill counts once by its trade id, even after the end.

    PENDING -> SENT -> ACCEPTED -> PARTIALLY_FILLED -> FILLED
    any that is not final -> UNKNOWN, CANCEL_PENDING, and each final one
"""

from dataclasses import dataclass, replace
from typing import Final

from execution.domain import Fill, OrderRequest, OrderState
from sluice.decimals import ZERO
from sluice.errors import InputError, InvariantError
from sluice.orders import OrderStatus, ReportKind

_OPEN: Final = frozenset(status for status in OrderStatus if not status.final)
_FINAL: Final = frozenset(status for status in OrderStatus if status.final)
_BACK_FROM_DOUBT: Final = frozenset({
    OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCEL_PENDING, OrderStatus.UNKNOWN})

#: From each status, the statuses that one more fact may lead to.
LEGAL: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    OrderStatus.PENDING: (_OPEN | _FINAL) - {OrderStatus.PENDING},
    OrderStatus.SENT: (_OPEN | _FINAL) - {OrderStatus.PENDING},
    OrderStatus.ACCEPTED: _BACK_FROM_DOUBT | _FINAL,
    OrderStatus.PARTIALLY_FILLED: (_BACK_FROM_DOUBT | _FINAL) - {OrderStatus.ACCEPTED},
    # A rejected cancel leads back to where the order stood.
    OrderStatus.CANCEL_PENDING: _BACK_FROM_DOUBT | {OrderStatus.SENT} | _FINAL,
    OrderStatus.UNKNOWN: _BACK_FROM_DOUBT | {OrderStatus.SENT} | _FINAL,
    OrderStatus.FILLED: frozenset({OrderStatus.FILLED}),
    # Only a late fill that completes the order changes a final status.
    OrderStatus.CANCELED: frozenset({OrderStatus.CANCELED, OrderStatus.FILLED}),
    OrderStatus.EXPIRED: frozenset({OrderStatus.EXPIRED, OrderStatus.CANCELED, OrderStatus.FILLED}),
    OrderStatus.REJECTED: frozenset(
        {OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CANCELED, OrderStatus.FILLED}),
}

_REPEATABLE: Final = frozenset({ReportKind.CANCEL_REQUESTED, ReportKind.CANCEL_REJECTED})
_OF_THE_VENUE: Final = frozenset({
    ReportKind.ACCEPTED, ReportKind.FILL, ReportKind.CANCELED, ReportKind.REJECTED, ReportKind.EXPIRED,
    ReportKind.CANCEL_REJECTED})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A fact about an order: the venue's word, or our own request. `fill` is set for FILL alone."""

    kind: ReportKind
    event_time_ns: int
    fill: Fill | None = None
    venue_order_id: str = ""
    message: str = ""

    @property
    def key(self) -> tuple[ReportKind, str]:
        """Return what makes this fact the same as another: kind, and trade id or time where it can happen again."""
        if self.fill is not None:
            return self.kind, self.fill.trade_id
        return self.kind, str(self.event_time_ns) if self.kind in _REPEATABLE else ""


def new_order(request: OrderRequest, decision_id: str, event_time_ns: int) -> OrderState:
    """Return the state of an order that is journalled and about to be sent."""
    return OrderState(request=request, decision_id=decision_id, created_at_ns=event_time_ns,
                      updated_at_ns=event_time_ns)


def mark_sent(state: OrderState) -> OrderState:
    """Return the state of an order that is on its way: only its own status shows it, there is no report of it."""
    return _settled(state, replace(state, sent=True))


def occur(state: OrderState, occurrence: Occurrence) -> OrderState | None:
    """Return the state after a fact, or None where it says nothing new.

    Raises `InputError` for a fact that cannot be (a fill without a positive quantity and price).
    """
    _require_sense(occurrence)
    if occurrence.kind is ReportKind.UNKNOWN:
        return None if state.unknown or state.status.final else _settled(state, replace(
            state, unknown=True, message=occurrence.message,
            updated_at_ns=max(state.updated_at_ns, occurrence.event_time_ns)))
    if occurrence.key in state.seen and not _ends_doubt(state, occurrence):
        return None
    return _settled(state, _with_fact(state, occurrence))


def _ends_doubt(state: OrderState, occurrence: Occurrence) -> bool:
    # A fill that was counted must not be reported twice; the venue's other words may be, to say that doubt is over.
    return state.unknown and occurrence.kind in _OF_THE_VENUE and occurrence.kind is not ReportKind.FILL


def _with_fact(state: OrderState, occurrence: Occurrence) -> OrderState:
    of_the_venue = occurrence.kind in _OF_THE_VENUE
    return replace(
        state,
        sent=state.sent or of_the_venue,
        unknown=state.unknown and not of_the_venue,
        fills=_with_fill(state.fills, occurrence.fill),
        seen=state.seen | {occurrence.key},
        venue_order_id=occurrence.venue_order_id or state.venue_order_id,
        message=occurrence.message if occurrence.kind in dict(_FINAL_WORDS) else state.message,
        updated_at_ns=max(state.updated_at_ns, occurrence.event_time_ns),
    )


def _with_fill(fills: tuple[Fill, ...], fill: Fill | None) -> tuple[Fill, ...]:
    # By trade id, not by arrival: sums that are rounded must not depend on the order in which fills came.
    return fills if fill is None else tuple(sorted((*fills, fill), key=lambda one: one.trade_id))


def _settled(before: OrderState, after: OrderState) -> OrderState:
    status = _status(after)
    if status not in LEGAL[before.status]:
        raise InvariantError(f"an order in {before.status.name} must not become {status.name}")
    return replace(after, status=status)


def _status(state: OrderState) -> OrderStatus:
    kinds = {kind for kind, _ in state.seen}
    if state.traded_quantity >= state.request.quantity:
        return OrderStatus.FILLED
    for kind, status in _FINAL_WORDS:
        if kind in kinds:
            return status
    if state.unknown:
        return OrderStatus.UNKNOWN
    if _count(state, ReportKind.CANCEL_REQUESTED) > _count(state, ReportKind.CANCEL_REJECTED):
        return OrderStatus.CANCEL_PENDING
    if state.fills:
        return OrderStatus.PARTIALLY_FILLED
    if ReportKind.ACCEPTED in kinds:
        return OrderStatus.ACCEPTED
    return OrderStatus.SENT if state.sent else OrderStatus.PENDING


#: Where a venue contradicts itself, the word that frees the least comes first.
_FINAL_WORDS: Final = (
    (ReportKind.CANCELED, OrderStatus.CANCELED),
    (ReportKind.EXPIRED, OrderStatus.EXPIRED),
    (ReportKind.REJECTED, OrderStatus.REJECTED),
)


def _count(state: OrderState, kind: ReportKind) -> int:
    return sum(1 for seen, _ in state.seen if seen is kind)


def _require_sense(occurrence: Occurrence) -> None:
    fill = occurrence.fill
    if (fill is not None) != (occurrence.kind is ReportKind.FILL):
        raise InputError(f"a fill must come with FILL and only there, was {occurrence.kind.name}")
    if occurrence.kind in (ReportKind.SUBMITTED, ReportKind.NOT_SENT):
        raise InputError(f"a fact about an order must follow its submission, was {occurrence.kind.name}")
    if fill is not None and not (fill.trade_id and fill.quantity > ZERO and fill.price > ZERO):
        raise InputError(f"a fill must have a trade id, quantity and price above zero, was {fill}")
