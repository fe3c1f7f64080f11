"""Binance's official SDK at an exchange over REST: every answer must fit the SDK's own response models.

    python sdk_session.py usds|coin host:port KEY SECRET
"""

import sys
from collections.abc import Callable
from typing import Any

from binance_common.configuration import ConfigurationRestAPI
from judging import Judge
from sdk_client import TRADED, client, unknown_fields


class Session(Judge):
    """A client of one product, and how its steps went."""

    def __init__(self, product: str, address: str, key: str, secret: str) -> None:
        super().__init__()
        self.product = product
        self.symbol, self.quantity = TRADED[product]
        self.api = client(product, config_rest_api=ConfigurationRestAPI(
            api_key=key, api_secret=secret, base_path=f"http://{address}", timeout=10_000, retries=0)).rest_api

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method of the SDK, and tell what its models made of the answer; None where they refuse it."""
        try:
            data = getattr(self.api, method)(**arguments).data()
        except Exception as error:  # noqa: BLE001  # whatever a client raises is a verdict
            self.tell(method, False, f"{type(error).__name__}: {error}"[:800])
            return None
        self.tell(method, True, {"unknown": unknown_fields(data)})
        return data

    def refused(self, name: str, code: str, method: str, **arguments: Any) -> None:
        """Call a method that must be refused with a code."""
        try:
            getattr(self.api, method)(**arguments).data()
        except Exception as error:  # noqa: BLE001  # whatever a client raises is a verdict
            self.tell(name, code in f"{error} {vars(error)}", f"{type(error).__name__}: {error} {vars(error)}"[:300])
            return
        self.tell(name, False, f"must be refused with {code}, was not")


def public(session: Session) -> None:
    """Everything that needs no key."""
    symbol, coin = session.symbol, session.product == "coin"
    pair = symbol.split("_")[0]
    for method in ("test_connectivity", "check_server_time", "exchange_information", "get_funding_rate_info"):
        session.call(method)
    for method in ("order_book", "recent_trades_list", "compressed_aggregate_trades_list", "open_interest"):
        session.call(method, symbol=symbol)
    for method in ("symbol_order_book_ticker", "symbol_price_ticker", "ticker24hr_price_change_statistics"):
        session.call(method, symbol=symbol)
    session.call("ticker24hr_price_change_statistics", **({"pair": pair} if coin else {}))
    session.call("symbol_price_ticker")
    session.call("kline_candlestick_data", symbol=symbol, interval="1m", limit=10)
    session.call("mark_price_kline_candlestick_data", symbol=symbol, interval="1m", limit=10)
    session.call("index_price_kline_candlestick_data", pair=pair, interval="1m", limit=10)
    session.call("continuous_contract_kline_candlestick_data",
                 pair=pair, contract_type="PERPETUAL", interval="1m", limit=10)
    session.call("old_trades_lookup", symbol=symbol, limit=5)
    if coin:
        session.call("index_price_and_mark_price", symbol=symbol)
        session.call("get_funding_rate_history_of_perpetual_futures", symbol=symbol)
    else:
        session.call("mark_price", symbol=symbol)
        session.call("mark_price")
        session.call("get_funding_rate_history", symbol=symbol)
        session.call("symbol_price_ticker_v2", symbol=symbol)


def account(session: Session) -> None:
    """The account, its settings and its limits."""
    symbol = session.symbol
    if session.product == "coin":
        for method in ("account_information", "futures_account_balance", "position_information",
                       "notional_bracket_for_symbol", "get_current_position_mode", "get_income_history"):
            session.call(method)
    else:
        for method in ("account_information_v2", "account_information_v3", "futures_account_balance_v2",
                       "futures_account_balance_v3", "futures_account_configuration", "get_bnb_burn_status",
                       "get_current_multi_assets_mode", "get_current_position_mode", "get_income_history",
                       "notional_and_leverage_brackets", "query_user_rate_limit", "symbol_configuration",
                       "position_information_v2", "position_information_v3"):
            session.call(method)
    session.call("user_commission_rate", symbol=symbol)
    session.call("change_initial_leverage", symbol=symbol, leverage=10)
    session.call("change_margin_type", symbol=symbol, margin_type="ISOLATED")
    session.refused("change_margin_type twice", "-4046", "change_margin_type", symbol=symbol, margin_type="ISOLATED")
    session.call("change_margin_type", symbol=symbol, margin_type="CROSSED")
    session.call("position_adl_quantile_estimation")
    session.call("start_user_data_stream")
    session.call("keepalive_user_data_stream")
    session.call("close_user_data_stream")


def orders(session: Session) -> None:
    """Orders from their placing to their end."""
    symbol, quantity = session.symbol, session.quantity
    book = session.call("order_book", symbol=symbol, limit=5)
    best_bid = float(book.bids[0][0])
    low, lower = round(best_bid * 0.98), round(best_bid * 0.975)
    resting = {"symbol": symbol, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": quantity}
    placed = session.call("new_order", **resting, price=low)
    session.call("query_current_open_order", symbol=symbol, order_id=placed.order_id)
    session.call("current_all_open_orders", symbol=symbol)
    session.call("modify_order", symbol=symbol, side="BUY", quantity=quantity, price=lower, order_id=placed.order_id)
    session.call("get_order_modify_history", symbol=symbol, order_id=placed.order_id)
    session.call("query_order", symbol=symbol, order_id=placed.order_id)
    session.call("cancel_order", symbol=symbol, order_id=placed.order_id)
    session.refused("cancel twice", "-2011", "cancel_order", symbol=symbol, order_id=placed.order_id)
    session.refused("post only", "-5022", "new_order",
                    **resting | {"time_in_force": "GTX"}, price=round(best_bid * 1.02))
    session.call("auto_cancel_all_open_orders", symbol=symbol, countdown_time=60_000)
    session.call("auto_cancel_all_open_orders", symbol=symbol, countdown_time=0)
    session.call("cancel_all_open_orders", symbol=symbol)
    session.call("new_order", symbol=symbol, side="BUY", type="MARKET", quantity=quantity,
                 new_order_resp_type="RESULT")
    positions = "position_information" if session.product == "coin" else "position_information_v3"
    session.call(positions)
    session.call("new_order", symbol=symbol, side="SELL", type="MARKET", quantity=quantity, reduce_only="true")
    session.call("all_orders", symbol=symbol)
    session.call("account_trade_list", symbol=symbol)
    session.call("get_income_history")
    session.call("users_force_orders")


def conditional(session: Session) -> None:
    """Conditional orders, which the COIN-M SDK has no methods for."""
    if session.product == "coin":
        return
    book = session.call("order_book", symbol=session.symbol, limit=5)
    trigger = round(float(book.bids[0][0]) * 0.95)
    placed = session.call("new_algo_order", algo_type="CONDITIONAL", symbol=session.symbol, side="SELL",
                          type="STOP_MARKET", quantity=session.quantity, trigger_price=trigger)
    session.call("query_algo_order", algo_id=placed.algo_id)
    session.call("current_all_algo_open_orders")
    session.call("cancel_algo_order", algo_id=placed.algo_id)
    session.call("query_all_algo_orders", symbol=session.symbol)
    session.call("cancel_all_algo_open_orders", symbol=session.symbol)


def main(*arguments: str) -> int:
    """Run the session and return the exit status."""
    session = Session(*arguments)
    parts: tuple[Callable[[Session], None], ...] = (public, account, orders, conditional)
    for part in parts:
        try:
            part(session)
        except Exception as error:  # noqa: BLE001  # the next part may still go well
            session.tell(part.__name__, False, f"{type(error).__name__}: {error}"[:500])
    return session.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
