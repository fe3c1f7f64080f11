"""Attacks on the veto, each with the name and status of its refusal, and signed orders that cannot be sent."""

from collections.abc import Callable

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sluice.envelope import MAX_LIFETIME_NS, MAX_SKEW_NS, Signer
from sluice.risk.v1 import order_pb2
from sluice.risk.v1.approval_pb2 import Approval, Audience, SignedApproval
from sluice.risk.v1.order_pb2 import Algorithm, Order
from tests.execution.rig import START_NS, Approver, an_order_message

DENIED, FAILED = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.FAILED_PRECONDITION


def foreign(**changed: str) -> Audience:
    ours = {"execution_id": "execution-1", "account": "main", "venue": "BINANCE_USDM", "environment": "simulated"}
    return Audience(**(ours | changed))


def forged(approver: Approver) -> SignedApproval:
    """Signed with a key of the attacker's, under the name of risk's key."""
    made = Signer(Ed25519PrivateKey.generate()).sign(approver.approval("d-1"))
    return SignedApproval(payload=made.payload, signature=made.signature, key_id=approver.signer.key_id)


def with_appended_field(approver: Approver) -> SignedApproval:
    """Valid bytes with a second, larger order after them: protobuf takes the last one."""
    good = approver.signed("d-1")
    larger = Approval(order=an_order_message(quantity="999").SerializeToString()).SerializeToString()
    return SignedApproval(payload=good.payload + larger, signature=good.signature, key_id=good.key_id)


ATTACKS: dict[str, tuple[Callable[[Approver], SignedApproval], str, grpc.StatusCode]] = {
    "empty": (lambda _: SignedApproval(), "MALFORMED", DENIED),
    "no_signature": (lambda a: SignedApproval(payload=a.signed("d-1").payload, key_id=a.signer.key_id),
                     "MALFORMED", DENIED),
    "signed_rubbish": (lambda a: SignedApproval(
        payload=b"\xff\xff", signature=a.signer._private_key.sign(b"sluice/risk-approval/v1\0\xff\xff"),
        key_id=a.signer.key_id), "MALFORMED", DENIED),
    "short_nonce": (lambda a: a.signed("d-1", nonce=b"short"), "MALFORMED", DENIED),
    "no_decision": (lambda a: a.signed(""), "MALFORMED", DENIED),
    "unknown_key": (lambda a: Signer(Ed25519PrivateKey.generate()).sign(a.approval("d-1")), "UNKNOWN_KEY", DENIED),
    "forged": (forged, "BAD_SIGNATURE", DENIED),
    "appended_field": (with_appended_field, "BAD_SIGNATURE", DENIED),
    "schema_version": (lambda a: a.signed("d-1", schema_version=2), "SCHEMA_VERSION", DENIED),
    "execution_id": (lambda a: a.signed("d-1", audience=foreign(execution_id="execution-2")), "AUDIENCE", DENIED),
    "account": (lambda a: a.signed("d-1", audience=foreign(account="other")), "AUDIENCE", DENIED),
    "venue": (lambda a: a.signed("d-1", audience=foreign(venue="NOWHERE")), "AUDIENCE", DENIED),
    "environment": (lambda a: a.signed("d-1", audience=foreign(environment="live")), "AUDIENCE", DENIED),
    "expired": (lambda a: a.signed("d-1", now_ns=START_NS - MAX_LIFETIME_NS - 1), "EXPIRED", FAILED),
    "not_yet_valid": (lambda a: a.signed("d-1", now_ns=START_NS + MAX_SKEW_NS + 1), "NOT_YET_VALID", FAILED),
    "long_lifetime": (lambda a: a.signed("d-1", expires_at_ns=START_NS + MAX_LIFETIME_NS + 1), "LIFETIME", FAILED),
    "ends_before_it_begins": (lambda a: a.signed("d-1", expires_at_ns=START_NS - 1), "LIFETIME", FAILED),
    "stale_epoch": (lambda a: a.signed("d-1", risk_epoch=0), "STALE_EPOCH", FAILED),
}
INVALID_ORDERS: dict[str, Order] = {
    "empty": Order(),
    "instrument": an_order_message(instrument="BINANCE_USDM:NONE"),
    "other_venue_than_approved": an_order_message(instrument="BINANCE_COINM:BTCUSD_PERP", quantity="1"),
    "side": an_order_message(side=order_pb2.SIDE_UNSPECIFIED),
    "unknown_side": an_order_message(side=7),
    "type": an_order_message(type=order_pb2.ORDER_TYPE_UNSPECIFIED),
    "conditional": an_order_message(type=order_pb2.ORDER_TYPE_STOP_MARKET, stop_price="1"),
    "time_in_force": an_order_message(time_in_force=order_pb2.TIME_IN_FORCE_UNSPECIFIED),
    "undated": an_order_message(time_in_force=order_pb2.TIME_IN_FORCE_GTD),
    "position_side": an_order_message(position_side=order_pb2.POSITION_SIDE_UNSPECIFIED),
    "hedge_mode": an_order_message(position_side=order_pb2.POSITION_SIDE_LONG),
    "self_trade_prevention": an_order_message(self_trade_prevention=0),
    "price_match": an_order_message(price_match=order_pb2.PRICE_MATCH_QUEUE),
    "algorithm": an_order_message(algorithm=Algorithm(kind=order_pb2.ALGORITHM_KIND_TWAP)),
    "unspecified_algorithm": an_order_message(algorithm=Algorithm()),
    "close_position": an_order_message(close_position=True),
    "exponent": an_order_message(quantity="1e3"),
    "not_a_number": an_order_message(quantity="NaN"),
    "zero": an_order_message(quantity="0"),
    "negative": an_order_message(quantity="-1"),
    "off_lot": an_order_message(quantity="1.0001"),
    "off_tick": an_order_message(price="60000.05"),
    "limit_without_price": an_order_message(price=""),
    "market_with_price": an_order_message(type=order_pb2.ORDER_TYPE_MARKET),
}
