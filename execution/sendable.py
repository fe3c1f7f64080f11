"""Which orders can be sent today: a signed order outside of this is refused before anything leaves.

Conditional orders, hedge mode, price match and the working algorithms are in the contract and not here yet. The list
says what is possible, not what is wise: limits are risk's business.
"""

from typing import Final

from execution.codec import read_order
from execution.domain import OrderRequest
from sluice.decimals import ZERO, is_multiple
from sluice.envelope import ApprovedOrder, client_order_id
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, PositionSide, PriceMatch, TimeInForce
from sluice.risk.v1.order_pb2 import ALGORITHM_KIND_NONE, Order

_TYPES: Final = frozenset({OrderType.LIMIT, OrderType.MARKET})
_TIMES_IN_FORCE: Final = frozenset(set(TimeInForce) - {TimeInForce.RPI})


def sendable_request(approved: ApprovedOrder, catalog: InstrumentCatalog) -> OrderRequest:
    """Return the venue's request of an approved order. Raises `InputError` where it cannot be sent as it is."""
    request = read_order(approved.order, client_order_id(approved.approval.decision_id), catalog)
    venue = approved.approval.audience.venue
    if request.instrument.venue.name != venue:
        raise InputError(f"instrument must be of the approved venue {venue}, was {request.instrument.key}")
    _require_supported(approved.order, request)
    _require_numbers(request)
    return request


def _require_supported(order: Order, request: OrderRequest) -> None:
    checks = (
        (request.type in _TYPES, "type must be LIMIT or MARKET for now", request.type.name),
        (request.time_in_force in _TIMES_IN_FORCE, "time_in_force must be GTC, IOC, FOK, GTX or GTD for now",
         request.time_in_force.name),
        ((request.time_in_force is TimeInForce.GTD) == (request.good_till_time_ns > 0),
         "good_till_time_ns must be set for GTD and only there", str(request.good_till_time_ns)),
        (request.position_side is PositionSide.BOTH, "position_side must be BOTH for now", request.position_side.name),
        (request.price_match is PriceMatch.NONE, "price_match must be NONE for now", request.price_match.name),
        (not order.HasField("algorithm") or order.algorithm.kind == ALGORITHM_KIND_NONE,
         "algorithm must be NONE for now", str(order.algorithm.kind)),
        (not (request.close_position or request.price_protect or request.trigger_price or order.stop_price
              or order.callback_rate_percent or order.activation_price),
         "the fields of conditional orders must be empty for now", "set"),
    )
    _require(checks)


def _require_numbers(request: OrderRequest) -> None:
    instrument, price, limited = request.instrument, request.price, request.type is OrderType.LIMIT
    _require((
        (request.quantity > ZERO, "quantity must be above 0", str(request.quantity)),
        (is_multiple(request.quantity, instrument.lot_size), f"quantity must be a multiple of {instrument.lot_size}",
         str(request.quantity)),
        ((price is not None) is limited, "price must be set for LIMIT and only there", str(price)),
        (price is None or price > ZERO, "price must be above 0", str(price)),
        (price is None or is_multiple(price, instrument.tick_size),
         f"price must be a multiple of {instrument.tick_size}", str(price)),
    ))


def _require(checks: tuple[tuple[bool, str, str], ...]) -> None:
    for holds, rule, was in checks:
        if not holds:
            raise InputError(f"{rule}, was {was}")
