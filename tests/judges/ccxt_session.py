"""A trading session of an unmodified ccxt.pro at an exchange: what an ordinary client does in its first minutes.

    python ccxt_session.py binanceusdm host:port KEY SECRET
"""

import asyncio
import sys
from typing import Any

import ccxt.pro as ccxt
from ccxt_client import TRADED, next_book, pointed_at
from judging import Judge


class Session(Judge):
    """The steps, in their order."""

    def __init__(self, name: str, client: Any) -> None:
        super().__init__()
        self.client = client
        self.symbol, _, self.amount = TRADED[name]
        self.orders: list[dict[str, Any]] = []

    async def run(self) -> int:
        """Go through all steps while the user stream is followed."""
        await self.client.load_markets()
        follower = asyncio.create_task(self.follow_orders())
        await asyncio.sleep(1)
        await self.attempt_all((
            self.time_difference, self.load_markets, self.book_stays_synced, self.trades_come, self.balance,
            self.leverage, self.place, self.amend, self.cancel, self.post_only_is_refused, self.unknown_order,
            self.conditional, self.market_order, self.by_websocket, self.own_trades, self.position, self.reduce_only,
            self.stream_told_everything))
        follower.cancel()
        return self.end()

    async def follow_orders(self) -> None:
        """Keep what the user stream says of our orders."""
        while True:
            self.orders += [dict(order) for order in await self.client.watch_orders(self.symbol)]

    async def time_difference(self) -> Any:
        """The exchange's clock is this machine's."""
        difference = await self.client.load_time_difference()
        assert abs(difference) < 500, f"the clocks must agree, differ by {difference} ms"
        return {"milliseconds": difference}

    async def best(self) -> tuple[float, float]:
        """Return the best bid and ask."""
        book = await self.client.fetch_order_book(self.symbol, 5)
        return book["bids"][0][0], book["asks"][0][0]

    async def load_markets(self) -> Any:
        """The market is there with its filters."""
        market = self.client.market(self.symbol)
        assert market["active"], "the market must be active"
        return {"precision": market["precision"], "limits": market["limits"]["amount"], "size": market["contractSize"]}

    async def book_stays_synced(self) -> Any:
        """Follow the book for a while: ccxt raises where an update does not continue the last one."""
        count = 0
        for _ in range(30):
            book = await next_book(self.client, lambda: self.client.watch_order_book(self.symbol, 100))
            assert book["bids"][0][0] < book["asks"][0][0], "the book must not be crossed"
            count += 1
        return {"updates": count, "levels": len(book["bids"])}

    async def trades_come(self) -> Any:
        """Public trades arrive on the stream."""
        trades = await self.client.watch_trades(self.symbol)
        assert trades, "a trade must come"
        return {"price": trades[-1]["price"]}

    async def balance(self) -> Any:
        """The account has money."""
        balance = await self.client.fetch_balance()
        total = {asset: amount for asset, amount in balance["total"].items() if amount}
        assert total, "a balance must be there"
        return total

    async def leverage(self) -> Any:
        """Leverage can be set."""
        answer = await self.client.set_leverage(10, self.symbol)
        return {"leverage": answer["leverage"]}

    async def place(self) -> Any:
        """A limit order far from the market rests."""
        bid, _ = await self.best()
        price = self.client.price_to_precision(self.symbol, bid * 0.98)
        self.resting = await self.client.create_order(self.symbol, "limit", "buy", self.amount, price)
        found = await self.client.fetch_open_orders(self.symbol)
        assert [order["id"] for order in found] == [self.resting["id"]], "the order must rest"
        return {"id": self.resting["id"], "status": found[0]["status"]}

    async def amend(self) -> Any:
        """Its price can be changed."""
        bid, _ = await self.best()
        price = self.client.price_to_precision(self.symbol, bid * 0.975)
        changed = await self.client.edit_order(self.resting["id"], self.symbol, "limit", "buy", self.amount, price)
        assert changed["id"] == self.resting["id"], "an amended order keeps its id"
        found = await self.client.fetch_order(self.resting["id"], self.symbol)
        assert found["price"] == float(price), "the new price must stand"
        return {"price": found["price"]}

    async def cancel(self) -> Any:
        """It can be cancelled."""
        answer = await self.client.cancel_order(self.resting["id"], self.symbol)
        assert answer["status"] == "canceled", "a cancelled order must say so"
        return {"status": answer["status"]}

    async def post_only_is_refused(self) -> Any:
        """A post-only order that would take is refused."""
        _, ask = await self.best()
        price = self.client.price_to_precision(self.symbol, ask * 1.01)
        try:
            await self.client.create_order(self.symbol, "limit", "buy", self.amount, price, {"postOnly": True})
        except ccxt.ExchangeError as error:
            assert "-5022" in str(error), f"the code must be -5022, was {error}"
            return str(error)
        raise AssertionError("a crossing post-only order must be refused, was taken")

    async def unknown_order(self) -> Any:
        """An order that is not there is said not to be there."""
        try:
            await self.client.fetch_order("987654321", self.symbol)
        except ccxt.OrderNotFound as error:
            return str(error)
        raise AssertionError("an unknown order must raise OrderNotFound")

    async def conditional(self) -> Any:
        """A stop order is taken, seen, and cancelled."""
        bid, _ = await self.best()
        trigger = self.client.price_to_precision(self.symbol, bid * 0.95)
        order = await self.client.create_order(
            self.symbol, "market", "sell", self.amount, None, {"stopLossPrice": trigger})
        found = await self.client.fetch_open_orders(self.symbol, params={"trigger": True})
        assert [each["id"] for each in found] == [order["id"]], "the stop order must be open"
        await self.client.cancel_order(order["id"], self.symbol, {"trigger": True})
        assert not await self.client.fetch_open_orders(self.symbol, params={"trigger": True}), "it must be gone"
        return {"id": order["id"], "trigger": found[0]["triggerPrice"]}

    async def market_order(self) -> Any:
        """A market order is filled."""
        order = await self.client.create_order(self.symbol, "market", "buy", self.amount)
        found = await self.client.fetch_order(order["id"], self.symbol)
        assert found["status"] == "closed", f"a market order must be filled, was {found['status']}"
        assert found["filled"] == self.amount, "all of it"
        self.taken = order["id"]
        return {"average": found["average"], "cost": found["cost"]}

    async def by_websocket(self) -> Any:
        """The WebSocket order API places and cancels."""
        bid, _ = await self.best()
        price = self.client.price_to_precision(self.symbol, bid * 0.98)
        order = await self.client.create_order_ws(self.symbol, "limit", "buy", self.amount, price)
        answer = await self.client.cancel_order_ws(order["id"], self.symbol)
        return {"id": order["id"], "status": answer["status"]}

    async def own_trades(self) -> Any:
        """The fills have prices and fees."""
        trades = [trade for trade in await self.client.fetch_my_trades(self.symbol) if trade["order"] == self.taken]
        assert sum(trade["amount"] for trade in trades) == self.amount, "the fills must add up"
        assert all(trade["fee"]["cost"] > 0 for trade in trades), "each has a fee"
        return {"trades": len(trades), "fee": trades[0]["fee"]}

    async def position(self) -> Any:
        """The position is there."""
        positions = [each for each in await self.client.fetch_positions([self.symbol]) if each["contracts"]]
        assert len(positions) == 1, "there must be one position"
        return {key: positions[0][key] for key in ("contracts", "entryPrice", "liquidationPrice", "leverage", "side")}

    async def reduce_only(self) -> Any:
        """A reduce-only order closes it."""
        await self.client.create_order(self.symbol, "market", "sell", self.amount, None, {"reduceOnly": True})
        positions = [each for each in await self.client.fetch_positions([self.symbol]) if each["contracts"]]
        assert not positions, "the position must be closed"
        return "closed"

    async def stream_told_everything(self) -> Any:
        """The user stream told of every order: placed, cancelled, filled."""
        await asyncio.sleep(1)
        told = [(order["id"], order["status"]) for order in self.orders]
        assert (self.resting["id"], "open") in told, "the resting order"
        assert (self.resting["id"], "canceled") in told, "its cancel"
        assert (self.taken, "closed") in told, "the market order"
        return {"events": len(told)}


async def main(name: str, *arguments: str) -> int:
    """Run the session and return the exit status."""
    client = pointed_at(name, *arguments)
    try:
        return await Session(name, client).run()
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
