"""Stores in memory hold to what those of the services hold to: single use, the epoch, all of a draft or nothing."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.system.stores import MemoryNonces, MemoryOrders
from execution.journal import AlreadyUsedError
from execution.ledger import Draft, Ledger, NewOrder
from execution.nonces import Burning, NonceStoreError
from sluice.envelope import Refusal
from tests.execution.builders import a_request

NONCE = bytes(16)


def test_nothing_is_burnt_before_risk_has_an_epoch() -> None:
    with pytest.raises(NonceStoreError):
        asyncio.run(MemoryNonces().burn(NONCE, 1))


@given(steps=st.lists(st.tuples(
    st.sampled_from(["burn", "void", "publish"]), st.integers(0, 3), st.integers(1, 4)), max_size=30))
def test_a_nonce_is_burnt_at_most_once_and_never_under_an_older_epoch(steps: list[tuple[str, int, int]]) -> None:
    async def scenario() -> None:
        nonces, epoch, spent = MemoryNonces(), 1, set[bytes]()
        await nonces.publish(epoch)
        for what, which, number in steps:
            nonce = bytes([which]) * 16
            if what == "publish":
                epoch = max(epoch, number)
                await nonces.publish(epoch)
            elif what == "void":
                await nonces.void(nonce)
                spent.add(nonce)
            elif await nonces.burn(nonce, number) is Burning.BURNT:
                assert nonce not in spent
                assert number >= epoch
                spent.add(nonce)

    asyncio.run(scenario())


def drafted(client_order_id: str, decision_id: str, nonce: bytes) -> Draft:
    draft = Draft(Ledger())
    draft.submit(replace(a_request(), client_order_id=client_order_id), NewOrder(decision_id, nonce, b"order", 1), 1)
    return draft


@pytest.mark.parametrize(("second", "refusal"), [
    (("b", "d-2", NONCE), Refusal.REPLAYED),
    (("b", "d-1", b"1" * 16), Refusal.DUPLICATE_ORDER),
    (("a", "d-2", b"1" * 16), Refusal.DUPLICATE_ORDER),
])
def test_what_was_used_makes_no_second_order(second: tuple[str, str, bytes], refusal: Refusal) -> None:
    orders = MemoryOrders()
    asyncio.run(orders.write(drafted("a", "d-1", NONCE)))
    with pytest.raises(AlreadyUsedError) as refused:
        asyncio.run(orders.write(drafted(*second)))
    assert refused.value.refusal is refusal
    assert len(orders.reports) == 1
    assert list(orders.order_bytes) == ["a"]
