"""Attacks on the veto: every approval that risk did not give as it stands is refused by its own name, and nothing
reaches the venue.
"""

import asyncio
import inspect
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel

from execution.gate import ApprovalGate
from sluice.config.settings import Settings
from sluice.envelope import MAX_LIFETIME_NS, ApprovedOrder, Signer
from sluice.errors import NotRunningError
from sluice.execution.v1 import execution_pb2 as messages
from sluice.keys import PUBLIC_KEY_FILE, publish_public_key
from sluice.risk.v1.approval_pb2 import Approval, SignedApproval
from sluice.risk.v1.order_pb2 import Order
from sluice.stores.embedded import StoreUrls
from tests.execution.attacks import ATTACKS, FAILED, INVALID_ORDERS, foreign, forged
from tests.execution.rig import START_NS, Rig, a_rig, a_running_rig, an_order_message, redis_proxy

NOT_SENT = messages.REPORT_KIND_NOT_SENT


async def reported_not_sent(rig: Rig) -> list[str]:
    return [report.decision_id for report in await rig.reports() if report.kind == NOT_SENT]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_by_its_name_and_reaches_no_venue(
        stores: StoreUrls, tmp_path: Path, attack: str) -> None:
    make, code, status = ATTACKS[attack]

    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            for _ in range(2):
                assert await rig.refusal(make(rig.approver)) == (code, status)
            # Only what can never be sent any more is said to be not sent, and that once.
            assert await reported_not_sent(rig) == (["d-1"] if code in ("EXPIRED", "LIFETIME") else [])
            assert rig.venue.submitted == []

    asyncio.run(story())


def test_an_order_that_cannot_be_sent_is_refused_and_given_up(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            for name, order in INVALID_ORDERS.items():
                assert await rig.refusal(rig.approver.signed(name, order)) == ("ORDER_INVALID", FAILED), name
            assert await reported_not_sent(rig) == list(INVALID_ORDERS)
            assert await rig.refusal(rig.approver.signed("zero")) == ("VOIDED", FAILED)
            assert rig.venue.submitted == []

    asyncio.run(story())


def test_every_single_changed_byte_is_refused() -> None:
    """Exhaustive, at the gate itself: each byte of payload and signature with one bit, and with all bits, flipped."""
    signer = Signer(Ed25519PrivateKey.generate())
    audience = foreign()
    good = signer.sign(Approval(
        schema_version=1, order=an_order_message().SerializeToString(), decision_id="d-1", nonce=b"n" * 16,
        audience=audience, issued_at_ns=START_NS, expires_at_ns=START_NS + MAX_LIFETIME_NS, risk_epoch=1))
    from sluice.envelope import ExpectedAudience

    expected = ExpectedAudience("execution-1", "main", "BINANCE_USDM", "simulated")
    gate = ApprovalGate([expected], lambda: {signer.key_id: signer.public_key})
    assert gate.check(good, START_NS).approved is not None
    for part in ("payload", "signature"):
        original: bytes = getattr(good, part)
        for index in range(len(original)):
            for flip in (0x01, 0x80, 0xFF):
                changed = SignedApproval.FromString(good.SerializeToString())
                setattr(changed, part, original[:index] + bytes([original[index] ^ flip]) + original[index + 1:])
                checked = gate.check(changed, START_NS)
                assert checked.refused is not None
                assert checked.refused.refusal.name == "BAD_SIGNATURE"
                assert checked.approval is None


def test_one_approval_used_by_fifty_at_once_makes_one_order(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            approval = rig.approver.signed("d-1")
            codes = [code for code, _ in await asyncio.gather(*(rig.refusal(approval) for _ in range(50)))]
            assert sorted(codes) == ["ACCEPTED"] + ["REPLAYED"] * 49
            assert len(rig.venue.submitted) == 1
            assert [report.sequence for report in await rig.reports()] == [1, 2]

    asyncio.run(story())


def test_a_second_approval_of_the_same_decision_is_a_duplicate(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            await rig.submit(rig.approver.signed("d-1"))
            assert await rig.refusal(rig.approver.signed("d-1")) == ("DUPLICATE_ORDER", FAILED)
            assert len(rig.venue.submitted) == 1

    asyncio.run(story())


def test_a_used_approval_is_a_replay_even_when_it_has_expired_and_redis_has_forgotten(
        stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            approval = rig.approver.signed("d-1")
            await rig.submit(approval)
            for name in rig.approver._redis.scan_iter(f"{rig.settings.run.namespace}:nonce:*"):
                rig.approver._redis.delete(name)
            assert await rig.refusal(approval) == ("REPLAYED", FAILED)
            await rig.advance(START_NS + 10 * MAX_LIFETIME_NS)
            assert await rig.refusal(approval) == ("REPLAYED", FAILED)
            assert await reported_not_sent(rig) == []

    asyncio.run(story())


def test_a_voided_approval_is_refused_and_reported_once(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            approval = rig.approver.signed("d-1")
            for _ in range(2):
                assert (await rig.execution.VoidApproval(messages.VoidApprovalRequest(approval=approval))).voided
            assert await rig.refusal(approval) == ("VOIDED", FAILED)
            assert await rig.refusal(rig.approver.signed("d-1")) == ("VOIDED", FAILED)
            assert await reported_not_sent(rig) == ["d-1"]
            assert rig.venue.submitted == []

    asyncio.run(story())


def test_voiding_an_expired_approval_works_and_voiding_a_used_one_does_not(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            used, expired = rig.approver.signed("d-1"), rig.approver.signed("d-2", now_ns=START_NS - 10**10)
            await rig.submit(used)
            void = rig.execution.VoidApproval
            assert not (await void(messages.VoidApprovalRequest(approval=used))).voided
            assert (await void(messages.VoidApprovalRequest(approval=expired))).voided
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await void(messages.VoidApprovalRequest(approval=forged(rig.approver)))
            assert dict(caught.value.trailing_metadata() or ())["sluice-refusal"] == "BAD_SIGNATURE"
            assert await reported_not_sent(rig) == ["d-2"]

    asyncio.run(story())


def test_a_stale_epoch_gives_nothing_up_so_that_risk_can_sign_again(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            old = rig.approver.signed("d-1")
            rig.approver.set_epoch(2)
            assert await rig.refusal(old) == ("STALE_EPOCH", FAILED)
            assert await reported_not_sent(rig) == []
            assert (await rig.submit(rig.approver.signed("d-1", risk_epoch=2))).status == messages.ORDER_STATUS_ACCEPTED
            assert await rig.refusal(old) == ("DUPLICATE_ORDER", FAILED)

    asyncio.run(story())


def test_redis_without_an_epoch_refuses_and_gives_nothing_up(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            approval = rig.approver.signed("d-1")
            rig.approver.set_epoch(None)
            assert await rig.refusal(approval) == ("NONCE_STORE", FAILED)
            rig.approver.set_epoch(1)
            assert await rig.refusal(approval) == ("ACCEPTED", grpc.StatusCode.OK)

    asyncio.run(story())


def test_redis_that_does_not_answer_refuses(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with redis_proxy(stores.redis_url) as (url, cut):
            rig = a_rig(stores, tmp_path)
            rig.urls = StoreUrls(stores.postgres_url, url)
            async with rig.running():
                await rig.advance(START_NS)
                cut()
                assert await rig.refusal(rig.approver.signed("d-1")) == ("NONCE_STORE", FAILED)
                expired = rig.approver.signed("d-2", now_ns=START_NS - 10**10)
                assert await rig.refusal(expired) == ("NONCE_STORE", FAILED)
                assert await rig.reports() == []
                assert rig.venue.submitted == []

    asyncio.run(story())


def test_a_rotated_key_is_trusted_as_soon_as_it_is_published(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            await rig.submit(rig.approver.signed("d-1"))
            new = Signer(Ed25519PrivateKey.generate())
            approval = new.sign(rig.approver.approval("d-2"))
            assert (await rig.refusal(approval))[0] == "UNKNOWN_KEY"
            publish_public_key(tmp_path / "keys", new.public_key)
            assert (await rig.refusal(approval))[0] == "ACCEPTED"

    asyncio.run(story())


@pytest.mark.parametrize("rubbish", [b"{", b"[]", b'{"a": 5}', b"\xff"])
def test_public_keys_that_cannot_be_read_refuse_every_order_until_they_are_repaired(
        stores: StoreUrls, tmp_path: Path, rubbish: bytes) -> None:
    async def story() -> None:
        published = tmp_path / "keys" / PUBLIC_KEY_FILE
        async with a_running_rig(stores, tmp_path) as rig:
            whole = published.read_bytes()
            published.write_bytes(rubbish)
            for _ in range(2):
                assert (await rig.refusal(rig.approver.signed("d-1")))[0] == "UNKNOWN_KEY"
            assert rig.venue.submitted == []
            published.write_bytes(whole)
            assert (await rig.refusal(rig.approver.signed("d-1")))[0] == "ACCEPTED"

    asyncio.run(story())


def test_with_the_machine_s_clock_an_approval_from_before_the_start_is_refused(
        stores: StoreUrls, tmp_path: Path) -> None:
    import time

    async def story() -> None:
        rig = a_rig(stores, tmp_path, clock="system")
        early = rig.approver.signed("d-1", now_ns=time.time_ns())
        async with rig.running():
            assert await rig.refusal(early) == ("EXPIRED", FAILED)
            assert await rig.refusal(rig.approver.signed("d-2", now_ns=time.time_ns())) == (
                "ACCEPTED", grpc.StatusCode.OK)

    asyncio.run(story())


def test_a_nonce_burnt_by_a_process_that_died_before_its_journal_can_be_used_once(
        stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        approval = rig.approver.signed("d-1")
        async with rig.running():
            await rig.advance(START_NS)
            other = rig.approver.signed("d-0")
            await rig.submit(other)
            # What a process leaves behind that dies between burning and journalling: its own mark, no order.
            namespace, redis = rig.settings.run.namespace, rig.approver._redis
            key = f"{namespace}:nonce:{Approval.FromString(approval.payload).nonce.hex()}"
            redis.copy(f"{namespace}:nonce:{Approval.FromString(other.payload).nonce.hex()}", key)
            assert (await rig.refusal(approval))[0] == "REPLAYED"
        async with rig.running():
            await rig.advance(START_NS)
            assert (await rig.refusal(approval))[0] == "ACCEPTED"
            assert (await rig.refusal(approval))[0] == "REPLAYED"
            redis.set(key, b"used:another-journal:process")
        async with rig.running():
            assert len(rig.venue.submitted) == 2

    asyncio.run(story())


def test_there_is_no_setting_that_goes_round_the_gate() -> None:
    def names(model: type[BaseModel]) -> set[str]:
        inner = [field.annotation for field in model.model_fields.values()]
        return set(model.model_fields) | {
            name for kind in inner if inspect.isclass(kind) and issubclass(kind, BaseModel) for name in names(kind)}

    forbidden = ("bypass", "skip", "unsafe", "disable", "insecure", "no_risk", "without_risk", "trust")
    assert not [name for name in names(Settings) for word in forbidden if word in name]
    sources = Path(inspect.getfile(ApprovalGate)).parent.rglob("*.py")
    texts = {path.name: path.read_text().lower() for path in sources}
    assert not [f"{name}: {word}" for name, text in texts.items() for word in forbidden[:4] if word in text]


def test_an_approved_order_cannot_be_made_but_by_verify() -> None:
    with pytest.raises(TypeError, match="verify"):
        ApprovedOrder(object(), Approval(), Order())


def test_submit_order_has_no_other_field_than_the_approval() -> None:
    assert [field.name for field in messages.SubmitOrderRequest.DESCRIPTOR.fields] == ["approval"]


def test_the_service_does_not_start_where_redis_is_away(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        rig.urls = StoreUrls(stores.postgres_url, "redis://127.0.0.1:1/0")
        with pytest.raises(NotRunningError, match="Redis"):
            async with rig.running():
                pass

    asyncio.run(story())
