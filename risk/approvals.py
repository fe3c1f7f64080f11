"""Makes signed approvals out of decisions, and decision ids and nonces.

The order's bytes go into the approval as they are journalled; nobody serialises them a second time. Where the nonce
comes from is injected: at random when live, from the decision and the epoch in a replay.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from risk import wire
from risk.engine import Decision
from sluice.config.settings import Settings
from sluice.decimals import text
from sluice.envelope import NONCE_BYTES, SCHEMA_VERSION, Signer
from sluice.errors import InvariantError
from sluice.instruments import Instrument
from sluice.risk.v1.approval_pb2 import Approval, Audience, SignedApproval

_SLIPPAGE_STEP = Decimal("0.0001")
#: Makes a nonce from a decision id and a risk epoch.
NonceSource = Callable[[str, int], bytes]


def decision_id_of(namespace: str, intent_id: str) -> str:
    """Return the id of the decision on an intent: deterministic, so that deciding twice cannot make two."""
    return "d-" + hashlib.sha256(f"{namespace}/{intent_id}".encode()).hexdigest()[:32]


def replayable_nonce(decision_id: str, risk_epoch: int) -> bytes:
    """Return a nonce that a replay of the same run makes again; another epoch gives another one."""
    return hashlib.sha256(f"{decision_id}/{risk_epoch}".encode()).digest()[:NONCE_BYTES]


def random_nonce(_decision_id: str, _risk_epoch: int) -> bytes:
    """Return a nonce that nobody can foretell."""
    return secrets.token_bytes(NONCE_BYTES)


@dataclass(frozen=True, slots=True)
class Fence:
    """What every approval is bound to besides its order: the epoch and the limits in force."""

    risk_epoch: int
    limits_version: str


class ApprovalIssuer:
    """Signs approvals for one execution service, account and environment."""

    def __init__(self, signer: Signer, settings: Settings, nonce: NonceSource) -> None:
        self._signer = signer
        self._nonce = nonce
        self._execution_id = settings.execution.execution_id
        self._account = settings.account.name
        self._environment = settings.run.environment

    def issue(self, decision: Decision, order: bytes, issued_at_ns: int, fence: Fence) -> SignedApproval:
        """Sign an approval of an order's exact bytes. Raises `InvariantError` where the decision is a veto."""
        if (held := decision.reservation) is None:
            raise InvariantError(f"a veto must never be signed, was {decision.decision_id}")
        return self._signer.sign(Approval(
            schema_version=SCHEMA_VERSION,
            order=order,
            decision_id=decision.decision_id,
            nonce=self._nonce(decision.decision_id, fence.risk_epoch),
            audience=self._audience(held.instrument),
            issued_at_ns=issued_at_ns,
            expires_at_ns=held.expires_at_ns,
            risk_epoch=fence.risk_epoch,
            limits_version=fence.limits_version,
            reserved_notional=text(held.notional),
            max_slippage_bps=text(decision.max_slippage_bps.quantize(_SLIPPAGE_STEP)),
        ))

    def renew(self, signed: SignedApproval, fence: Fence) -> SignedApproval:
        """Sign the same decision for the present epoch; its order, times and everything else stay as they were."""
        approval = Approval.FromString(signed.payload)
        approval.risk_epoch = fence.risk_epoch
        approval.nonce = self._nonce(approval.decision_id, fence.risk_epoch)
        return self._signer.sign(approval)

    def _audience(self, instrument: Instrument) -> Audience:
        return Audience(execution_id=self._execution_id, account=self._account, venue=instrument.venue.name,
                        environment=self._environment)


def order_bytes(decision: Decision) -> bytes:
    """Return the decided order's bytes, which are what is journalled and signed."""
    return wire.order_message(decision.order).SerializeToString(deterministic=True)
