"""Parameters: taking requests apart, and refusing what is not legal in the venue's words."""

from collections.abc import Callable
from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.rest.parameters import Arguments, Kind, Parameter, merged


def refused(call: Callable[[], object]) -> ExchangeError:
    with pytest.raises(ExchangeError) as caught:
        call()
    return caught.value


def test_the_query_wins_over_the_body() -> None:
    assert merged("symbol=A&price=1", "price=2&quantity=3") == {"symbol": "A", "price": "1", "quantity": "3"}


@pytest.mark.parametrize(("query", "body", "code"), [
    ("a=1&a=2", "", -1101), ("", "a=1&a=1", -1101), ("a=%ff%fe", "", -1100),
    ("&".join(f"p{n}=1" for n in range(70)), "", -1101)])
def test_what_cannot_be_taken_apart_is_refused(query: str, body: str, code: int) -> None:
    assert refused(lambda: merged(query, body)).code == code


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=10))
def test_any_parameters_survive_the_encoding(sent: dict[str, str]) -> None:
    assert merged(urlencode(sent), "") == sent
    assert merged("", urlencode(sent, quote_via=quote)) == sent


@given(st.binary(max_size=300))
def test_no_bytes_break_the_taking_apart(raw: bytes) -> None:
    try:
        merged(raw.decode("latin-1"), raw.decode("latin-1"))
    except ExchangeError as error:
        assert error.code in {-1100, -1101}


@pytest.mark.parametrize(("specification", "sent", "code", "words"), [
    (Parameter("price", Kind.DECIMAL), {"price": "1e5"}, -1100, "Illegal characters found in parameter 'price'"),
    (Parameter("price", Kind.DECIMAL), {"price": "-1"}, -1100, "legal range"),
    (Parameter("price", Kind.DECIMAL), {"price": "NaN"}, -1100, "legal range"),
    (Parameter("price", Kind.DECIMAL), {"price": "１"}, -1100, "legal range"),
    (Parameter("price", Kind.DECIMAL), {"price": ""}, -1105, "Parameter 'price' was empty."),
    (Parameter("price", Kind.DECIMAL, mandatory=True), {"price": ""}, -1102, "Mandatory parameter 'price'"),
    (Parameter("price", Kind.DECIMAL, mandatory=True), {}, -1102, "was not sent, was empty/null, or malformed."),
    (Parameter("orderId", Kind.INTEGER), {"orderId": "1.0"}, -1100, "'orderId'"),
    (Parameter("symbol", Kind.SYMBOL), {"symbol": "btcusdt"}, -1100, "'symbol'"),
    (Parameter("side", choices=("BUY", "SELL"), refused_as=-1117), {"side": "buy"}, -1117, "Invalid side."),
    (Parameter("kind", choices=("A",)), {"kind": "B"}, -1130, "Data sent for parameter 'kind' is not valid."),
    (Parameter("flag", Kind.BOOLEAN), {"flag": "yes"}, -1100, "'flag'"),
])
def test_an_illegal_value_is_refused(specification: Parameter, sent: dict[str, str], code: int, words: str) -> None:
    error = refused(lambda: Arguments.read((specification,), sent))
    assert error.code == code
    assert words in error.message
    assert error.status == 400


def test_values_are_read_by_their_kind_and_what_was_not_sent_is_none() -> None:
    specifications = (Parameter("price", Kind.DECIMAL), Parameter("flag", Kind.BOOLEAN), Parameter("n", Kind.INTEGER))
    found = Arguments.read(specifications, {"price": "1.10", "flag": "TRUE", "unknown": "x"})
    assert found.decimal("price") == Decimal("1.10")
    assert found.flag("flag") is True
    assert found.integer("n") is None
    assert "unknown" not in found.values


@given(st.decimals(0, 10**15, places=8, allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_decimal_is_lost(value: Decimal) -> None:
    assert Parameter("price", Kind.DECIMAL).read(format(value, "f")) == value
