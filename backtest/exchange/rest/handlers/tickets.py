"""Order tickets out of the parameters of a request: the words of the wire become those of the order path."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeVar

from backtest.exchange.core.domain import OrderTicket
from backtest.exchange.rest.parameters import Arguments, Kind, Parameter
from sluice.decimals import ZERO
from sluice.orders import (
    CONDITIONAL_TYPES,
    OrderType,
    PositionSide,
    PriceMatch,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
)

Word = TypeVar("Word", bound=Enum)

_WORKING: Final[Mapping[str, TriggerPrice]] = {"CONTRACT_PRICE": TriggerPrice.LAST, "MARK_PRICE": TriggerPrice.MARK}


def _words(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(kind.__members__)


SYMBOL: Final = Parameter("symbol", Kind.SYMBOL, mandatory=True)
_SIDE: Final = Parameter("side", mandatory=True, choices=_words(Side), refused_as=-1117)
_COMMON: Final = (
    SYMBOL,
    _SIDE,
    Parameter("positionSide", choices=_words(PositionSide), refused_as=-4060),
    Parameter("type", mandatory=True, choices=_words(OrderType), refused_as=-1116),
    Parameter("timeInForce", choices=_words(TimeInForce), refused_as=-1115),
    Parameter("quantity", Kind.DECIMAL),
    Parameter("price", Kind.DECIMAL),
    Parameter("workingType", choices=tuple(_WORKING)),
    Parameter("priceProtect", Kind.TEXT),
    Parameter("reduceOnly", Kind.BOOLEAN),
    Parameter("closePosition", Kind.BOOLEAN),
    Parameter("priceMatch", choices=_words(PriceMatch)),
    Parameter("selfTradePreventionMode", choices=_words(SelfTradePrevention)),
    Parameter("goodTillDate", Kind.INTEGER),
    Parameter("newOrderRespType", choices=("ACK", "RESULT")),
)
_ACTIVATION: Final = (
    Parameter("activatePrice", Kind.DECIMAL),
    Parameter("activationPrice", Kind.DECIMAL),
    Parameter("callbackRate", Kind.DECIMAL),
)
#: The parameters of an ordinary order.
ORDER: Final = (*_COMMON, Parameter("newClientOrderId"), Parameter("stopPrice", Kind.DECIMAL), *_ACTIVATION)
#: The parameters of a conditional order.
ALGO_ORDER: Final = (
    *_COMMON,
    Parameter("algoType", mandatory=True, choices=("CONDITIONAL",)),
    Parameter("clientAlgoId"),
    Parameter("triggerPrice", Kind.DECIMAL),
    *_ACTIVATION,
)


def _word(arguments: Arguments, name: str, kind: type[Word]) -> Word | None:
    found = arguments.text(name)
    return None if found is None else kind[found]


def ticket_of(arguments: Arguments) -> OrderTicket:
    """Return what an order request asks for, of either kind. What was not sent stays None."""
    kind = OrderType[arguments.needed("type")]
    activation = arguments.decimal("activatePrice") or arguments.decimal("activationPrice")
    trigger = arguments.decimal("triggerPrice" if "algoType" in arguments.values else "stopPrice")
    return OrderTicket(
        symbol=arguments.needed("symbol"), side=Side[arguments.needed("side")], type=kind,
        quantity=arguments.decimal("quantity"), price=arguments.decimal("price"),
        time_in_force=_word(arguments, "timeInForce", TimeInForce),
        position_side=_word(arguments, "positionSide", PositionSide),
        reduce_only=arguments.flag("reduceOnly"), close_position=bool(arguments.flag("closePosition")),
        client_order_id=arguments.text("newClientOrderId") or arguments.text("clientAlgoId") or "",
        # Clients send a stop price of zero with ordinary orders.
        stop_price=trigger if kind in CONDITIONAL_TYPES or trigger != ZERO else None,
        working_type=_WORKING[arguments.text("workingType") or "CONTRACT_PRICE"],
        price_protect=(arguments.text("priceProtect") or "").upper() == "TRUE",
        activation_price=activation, callback_rate_percent=arguments.decimal("callbackRate"),
        price_match=_word(arguments, "priceMatch", PriceMatch),
        self_trade_prevention=_word(arguments, "selfTradePreventionMode", SelfTradePrevention),
        good_till_date_ms=arguments.integer("goodTillDate") or 0)


def wants_result(arguments: Arguments) -> bool:
    """Tell whether the answer shall wait for the end state of an order that ends at once."""
    return arguments.text("newOrderRespType") == "RESULT"
