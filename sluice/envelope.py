"""The approval envelope: risk signs exact bytes, execution verifies those bytes before it parses them.

An `ApprovedOrder` is the only thing the execution engine takes, and `verify` is the only thing that makes one. What a
signature cannot say (single use, epoch) is checked by execution against its stores, with what this returns.

The keys' files are `sluice.keys`. This is not access control: which service may call which method is the deployment's
business (mTLS).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from google.protobuf.message import DecodeError

from sluice.risk.v1.approval_pb2 import Approval, Audience, SignedApproval
from sluice.risk.v1.order_pb2 import Order

DOMAIN: Final = b"sluice/risk-approval/v1\0"
SCHEMA_VERSION: Final = 1
NONCE_BYTES: Final = 16
#: An approval lives at most this long.
MAX_LIFETIME_NS: Final = 2_000_000_000
#: Tolerated difference between the clocks of risk and execution.
MAX_SKEW_NS: Final = 250_000_000

_MADE_BY_VERIFY: Final = object()


class Refusal(Enum):
    """Why an approval was refused; the numbers are those of the contract's `RefusalCode`."""

    MALFORMED = 1
    UNKNOWN_KEY = 2
    BAD_SIGNATURE = 3
    SCHEMA_VERSION = 4
    AUDIENCE = 5
    NOT_YET_VALID = 6
    EXPIRED = 7
    LIFETIME = 8
    STALE_EPOCH = 9
    REPLAYED = 10
    VOIDED = 11
    NONCE_STORE = 12
    ORDER_INVALID = 13
    DUPLICATE_ORDER = 14
    ACCOUNT_DIFFERS = 15


@dataclass(frozen=True, slots=True)
class ApprovalRefused:
    """A refusal with its reason. `decision_id` is known only where the signature was good."""

    refusal: Refusal
    message: str
    decision_id: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedAudience:
    """Who this execution service is; an approval for anyone else is refused."""

    execution_id: str
    account: str
    venue: str
    environment: str

    def matches(self, audience: Audience) -> bool:
        """Tell whether an approval is meant for us."""
        return (audience.execution_id, audience.account, audience.venue, audience.environment) == (
            self.execution_id, self.account, self.venue, self.environment)


class ApprovedOrder:
    """An order that risk approved, out of verified bytes. Only `verify` can make one."""

    __slots__ = ("approval", "order")

    def __init__(self, token: object, approval: Approval, order: Order) -> None:
        if token is not _MADE_BY_VERIFY:
            raise TypeError("an ApprovedOrder must come from verify(); nothing else can approve an order")
        self.approval = approval
        self.order = order


class Signer:
    """Signs approvals. Lives in the risk service alone."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.key_id = key_id_of(private_key.public_key())

    def sign(self, approval: Approval) -> SignedApproval:
        """Return the approval's exact bytes with a signature over them."""
        payload = approval.SerializeToString()
        return SignedApproval(payload=payload, signature=self._private_key.sign(DOMAIN + payload), key_id=self.key_id)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """Return the key that verifies what this signs."""
        return self._private_key.public_key()


def verify(
    signed: SignedApproval, keys: Mapping[str, Ed25519PublicKey], audience: ExpectedAudience, now_ns: int
) -> ApprovedOrder | ApprovalRefused:
    """Check an approval's bytes, then read them.

    The signature comes first: nothing unsigned is ever parsed. The caller must still burn the nonce and compare the
    epoch before it acts.
    """
    if not signed.payload or not signed.signature or not signed.key_id:
        return ApprovalRefused(Refusal.MALFORMED, "an approval must have payload, signature and key_id")
    if (key := keys.get(signed.key_id)) is None:
        return ApprovalRefused(Refusal.UNKNOWN_KEY, f"key_id must be a trusted key, was {signed.key_id[:64]!r}")
    try:
        key.verify(signed.signature, DOMAIN + signed.payload)
    except InvalidSignature:
        return ApprovalRefused(Refusal.BAD_SIGNATURE, "the signature must fit the payload's bytes, and does not")
    return _read(signed.payload, audience, now_ns)


def _read(payload: bytes, audience: ExpectedAudience, now_ns: int) -> ApprovedOrder | ApprovalRefused:
    try:
        approval = Approval.FromString(payload)
        order = Order.FromString(approval.order)
    except DecodeError:
        return ApprovalRefused(Refusal.MALFORMED, "the signed payload must be an Approval with an Order, and is not")
    if (refused := _refuse_terms(approval, audience, now_ns)) is not None:
        return refused
    return ApprovedOrder(_MADE_BY_VERIFY, approval, order)


def _refuse_terms(approval: Approval, audience: ExpectedAudience, now_ns: int) -> ApprovalRefused | None:
    issued, expires = approval.issued_at_ns, approval.expires_at_ns
    checks = (
        (approval.schema_version != SCHEMA_VERSION, Refusal.SCHEMA_VERSION,
         f"schema_version must be {SCHEMA_VERSION}, was {approval.schema_version}"),
        (not audience.matches(approval.audience), Refusal.AUDIENCE,
         f"audience must be {audience}, was {approval.audience}".replace("\n", " ")),
        (not approval.decision_id or len(approval.nonce) != NONCE_BYTES, Refusal.MALFORMED,
         f"an approval must have a decision_id and a nonce of {NONCE_BYTES} bytes, was {len(approval.nonce)}"),
        (not 0 < expires - issued <= MAX_LIFETIME_NS, Refusal.LIFETIME,
         f"an approval must live at most {MAX_LIFETIME_NS} ns, was {expires - issued}"),
        (issued > now_ns + MAX_SKEW_NS, Refusal.NOT_YET_VALID,
         f"issued_at_ns must not be after {now_ns} (plus skew), was {issued}"),
        (now_ns > expires, Refusal.EXPIRED, f"expires_at_ns must not be before {now_ns}, was {expires}"),
    )
    for failed, refusal, message in checks:
        if failed:
            return ApprovalRefused(refusal, message, approval.decision_id)
    return None


def client_order_id(decision_id: str) -> str:
    """Return the venue's client order id of a decision: deterministic, 30 characters, so a second use collides."""
    return "sl" + hashlib.sha256(decision_id.encode()).hexdigest()[:28]


def key_id_of(key: Ed25519PublicKey) -> str:
    """Return the name of a public key: the first 16 digits of the SHA-256 of its raw bytes."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]
