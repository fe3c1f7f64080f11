"""From a signed approval to an order at the venue, or to a refusal; the only way there is.

The order of the checks: bytes (signature, audience, terms), then the journal (an order exists, the decision was given
up), then the order itself, then epoch and nonce in Redis in one step, then the journal's unique keys, then the venue.
A refusal that means "this will never be sent" burns the nonce and says so once in the reports (NOT_SENT), so that risk
can release what it set aside. A stale epoch does not mean that: risk may sign the same decision again.
"""

from typing import Final

from execution.desk import Desk
from execution.domain import OrderState
from execution.gate import ApprovalGate, ApprovalRefusedError
from execution.journal import AlreadyUsedError
from execution.ledger import Draft, NewOrder
from execution.nonces import Burning, NonceStoreError
from execution.sendable import sendable_request
from execution.stores import Nonces
from sluice.envelope import ApprovalRefused, ApprovedOrder, Refusal
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog
from sluice.orders import Side, member_of
from sluice.risk.v1.approval_pb2 import Approval, SignedApproval
from sluice.risk.v1.order_pb2 import Order

_NEVER: Final = frozenset({Refusal.EXPIRED, Refusal.LIFETIME, Refusal.ORDER_INVALID, Refusal.VOIDED,
                           Refusal.ACCOUNT_DIFFERS})


class Submission:
    """Carries out SubmitOrder and VoidApproval. Its methods run inside `Desk.exclusively`."""

    def __init__(self, desk: Desk, gate: ApprovalGate, nonces: Nonces, catalog: InstrumentCatalog) -> None:
        self._desk = desk
        self._gate = gate
        self._nonces = nonces
        self._catalog = catalog

    async def submit(self, signed: SignedApproval) -> OrderState:
        """Send the approved order; return its state after the venue's answer. Raises `ApprovalRefusedError`."""
        checked = self._gate.check(signed, self._desk.now_ns())
        if checked.approval is not None:
            self._require_unused(checked.approval)
            self._desk.require_time()
        if checked.approved is None:
            raise await self._refused(checked.refused, checked.approval)
        order = await self._journalled(checked.approved)
        await self._desk.send(order)
        return self._desk.ledger.require(order.client_order_id)

    async def void(self, signed: SignedApproval) -> bool:
        """Give an approval up, expired or not; tell whether no order exists of it. Raises `ApprovalRefusedError`."""
        checked = self._gate.check(signed, self._desk.now_ns())
        if checked.approval is None:
            raise await self._refused(checked.refused, None)
        if self._has_order(checked.approval):
            return False
        self._desk.require_time()
        await self._give_up(checked.approval, "voided")
        return True

    async def _journalled(self, approved: ApprovedOrder) -> OrderState:
        approval = approved.approval
        try:
            request = sendable_request(approved, self._catalog)
        except InputError as error:
            raise await self._refused(ApprovalRefused(Refusal.ORDER_INVALID, error.message), approval) from None
        if self._desk.doubt and not request.reduce_only:
            raise await self._refused(ApprovalRefused(
                Refusal.ACCOUNT_DIFFERS, f"the account must be as the journal has it, was not: {self._desk.doubt}"),
                approval)
        await self._burn(approval)
        draft = Draft(self._desk.ledger)
        new = NewOrder(approval.decision_id, approval.nonce, approval.order, approval.expires_at_ns)
        draft.submit(request, new, self._desk.sending_time_ns())
        try:
            await self._desk.commit(draft)
        except AlreadyUsedError as error:
            raise ApprovalRefusedError(error.refusal, "an order of this approval is journalled already") from None
        return self._desk.ledger.require(request.client_order_id)

    def _require_unused(self, approval: Approval) -> None:
        if self._desk.ledger.nonce_used(approval.nonce):
            raise ApprovalRefusedError(Refusal.REPLAYED, f"nonce {approval.nonce.hex()} must be unused, was used")
        if self._has_order(approval):
            raise ApprovalRefusedError(
                Refusal.DUPLICATE_ORDER, f"decision {approval.decision_id} must have no order yet, has one")

    def _has_order(self, approval: Approval) -> bool:
        ledger = self._desk.ledger
        return ledger.nonce_used(approval.nonce) or ledger.of_decision(approval.decision_id) is not None

    async def _burn(self, approval: Approval) -> None:
        if self._desk.ledger.never_sent(approval.decision_id):
            raise ApprovalRefusedError(Refusal.VOIDED, f"decision {approval.decision_id} was given up before")
        try:
            burning = await self._nonces.burn(approval.nonce, approval.risk_epoch)
        except NonceStoreError as error:
            raise ApprovalRefusedError(Refusal.NONCE_STORE, str(error)) from None
        if burning is Burning.STALE_EPOCH:
            raise ApprovalRefusedError(
                Refusal.STALE_EPOCH, f"risk_epoch must be the current one, was {approval.risk_epoch}")
        if burning is Burning.USED:
            raise ApprovalRefusedError(Refusal.REPLAYED, f"nonce {approval.nonce.hex()} must be unused, was used")
        if burning is Burning.VOID:
            raise await self._refused(ApprovalRefused(Refusal.VOIDED, "the nonce was voided"), approval)
        # BURNT, or LEFT_BEHIND: a process that ended before it journalled has sent nothing, and the journal's unique
        # keys stand against a second one that believes the same.

    async def _refused(self, refused: ApprovalRefused | None, approval: Approval | None) -> ApprovalRefusedError:
        assert refused is not None, "what is not approved has a refusal"
        if approval is not None and refused.refusal in _NEVER:
            await self._give_up(approval, refused.refusal.name)
        return ApprovalRefusedError(refused.refusal, refused.message)

    async def _give_up(self, approval: Approval, why: str) -> None:
        try:
            await self._nonces.void(approval.nonce)
        except NonceStoreError as error:
            raise ApprovalRefusedError(Refusal.NONCE_STORE, str(error)) from None
        order = Order.FromString(approval.order)
        draft = Draft(self._desk.ledger)
        side = member_of(Side, order.side)
        draft.not_sent(approval.decision_id, order.instrument[:64], side, why, self._desk.sending_time_ns())
        await self._desk.commit(draft)
