"""Listen keys live an hour from their last use, one for each account and product."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.core.domain import Product
from backtest.exchange.rest.listen_keys import LIFE_MS, ListenKeys


def fresh() -> ListenKeys:
    numbers = count(1)
    return ListenKeys(lambda: f"key{next(numbers)}")


def test_making_a_key_again_returns_the_living_one_extended() -> None:
    keys = fresh()
    first = keys.create("a", Product.USDM, 0)
    again = keys.create("a", Product.USDM, 1000)
    assert again.key == first.key
    assert again.expires_ms == 1000 + LIFE_MS
    assert keys.create("a", Product.COINM, 0).key != first.key
    assert keys.create("b", Product.USDM, 0).key != first.key


def test_a_key_ends_after_an_hour_and_is_told_once() -> None:
    keys = fresh()
    made = keys.create("a", Product.USDM, 0)
    assert keys.find(made.key, LIFE_MS - 1) is not None
    assert keys.find(made.key, LIFE_MS) is None
    assert keys.extend("a", Product.USDM, LIFE_MS) is None
    assert [key.key for key in keys.take_expired(LIFE_MS)] == [made.key]
    assert keys.take_expired(LIFE_MS) == []
    assert keys.create("a", Product.USDM, LIFE_MS).key != made.key


def test_a_closed_or_expired_key_is_gone() -> None:
    keys = fresh()
    made = keys.create("a", Product.USDM, 0)
    assert keys.close("a", Product.USDM) == made
    assert keys.close("a", Product.USDM) is None
    other = keys.create("a", Product.USDM, 0)
    assert keys.expire(other.key) == other
    assert keys.expire(other.key) is None
    assert keys.extend("a", Product.USDM, 0) is None
    assert len(keys) == 0


@given(st.lists(st.tuples(st.sampled_from(["create", "extend", "close"]), st.sampled_from("ab"),
                          st.integers(0, LIFE_MS)), max_size=40))
def test_an_owner_never_has_two_living_keys(steps: list[tuple[str, str, int]]) -> None:
    keys, now = fresh(), 0
    for action, account, wait in steps:
        now += wait
        if action == "create":
            assert keys.create(account, Product.USDM, now).expires_ms == now + LIFE_MS
        elif action == "extend":
            keys.extend(account, Product.USDM, now)
        else:
            keys.close(account, Product.USDM)
        living = [key.account for key in keys if now < key.expires_ms]
        assert len(living) == len(set(living))
