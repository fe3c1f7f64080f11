"""The gate: what can be said about an approval from its bytes, the trusted keys and the time, without any store.

The keys are read again when an approval names one that is not known, so that risk can rotate its key while this runs.
Single use and epoch are not here: they need the stores (`execution.nonces`, `execution.ledger`).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sluice.envelope import ApprovalRefused, ApprovedOrder, ExpectedAudience, Refusal, verify
from sluice.errors import ConfigurationError, SluiceError
from sluice.risk.v1.approval_pb2 import Approval, SignedApproval

_log = logging.getLogger("execution.gate")
#: Refusals that come after signature and audience were found good, so the approval can be read.
_OF_TERMS: Final = frozenset({Refusal.LIFETIME, Refusal.NOT_YET_VALID, Refusal.EXPIRED})

Keys = Mapping[str, Ed25519PublicKey]


class ApprovalRefusedError(SluiceError):
    """An approval is refused; nothing was sent because of it."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: either `approved`, or `refused`.

    `approval` is set where signature and audience were good, also where the terms (lifetime, expiry) were not.
    """

    approved: ApprovedOrder | None
    refused: ApprovalRefused | None
    approval: Approval | None


class ApprovalGate:
    """Verifies approvals meant for one execution service, at any of the venues that it serves."""

    def __init__(self, audiences: Sequence[ExpectedAudience], load_keys: Callable[[], Keys],
                 not_before_ns: int = 0) -> None:
        """`not_before_ns`: approvals issued earlier are refused as expired; 0 for any (event time)."""
        self._audiences = audiences
        self._load_keys = load_keys
        self._keys: Keys = {}
        self._not_before_ns = not_before_ns

    def check(self, signed: SignedApproval, now_ns: int) -> Checked:
        """Verify an approval's bytes and terms."""
        if signed.key_id not in self._keys:
            self._reload()
        found = self._verify(signed, now_ns)
        if isinstance(found, ApprovedOrder):
            return self._after_start(found)
        approval = Approval.FromString(signed.payload) if found.refusal in _OF_TERMS else None
        return Checked(None, found, approval)

    def _after_start(self, approved: ApprovedOrder) -> Checked:
        approval = approved.approval
        if approval.issued_at_ns >= self._not_before_ns:
            return Checked(approved, None, approval)
        # A process that died took the memory of what it was doing with it; two seconds of approvals are a cheap price.
        return Checked(None, ApprovalRefused(
            Refusal.EXPIRED, f"issued_at_ns must not be before the start of execution ({self._not_before_ns}), "
            f"was {approval.issued_at_ns}", approval.decision_id), approval)

    def _verify(self, signed: SignedApproval, now_ns: int) -> ApprovedOrder | ApprovalRefused:
        for audience in self._audiences:
            found = verify(signed, self._keys, audience, now_ns)
            if isinstance(found, ApprovedOrder) or found.refusal is not Refusal.AUDIENCE:
                return found
        return found

    def _reload(self) -> None:
        try:
            self._keys = self._load_keys()
        except ConfigurationError as error:
            _log.error("risk's public keys cannot be read, those known stay: %s", error)
