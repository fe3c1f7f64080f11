"""An unmodified ccxt.pro that works an account: batches, hedge mode, conditional orders that fire, and its streams.

    python ccxt_account.py binanceusdm host:port KEY SECRET
"""

import asyncio
import sys
from typing import Any

import ccxt.pro as ccxt
from ccxt_client import TRADED, pointed_at
from judging import Judge, until


class Account(Judge):
    """The steps, in their order."""

    def __init__(self, name: str, client: Any) -> None:
        super().__init__()
        self.client = client
        self.symbol, _, self.amount = TRADED[name]
        self.told: dict[str, list[dict[str, Any]]] = {"orders": [], "trades": [], "balance": [], "positions": []}

    async def run(self) -> int:
        """Go through all steps while the account's streams are followed."""
        await self.client.load_markets()
        followers = [asyncio.create_task(each) for each in (
            self.follow("orders", self.client.watch_orders), self.follow("trades", self.client.watch_my_trades),
            self.follow("balance", self.client.watch_balance), self.follow("positions", self.client.watch_positions))]
        await asyncio.sleep(2)
        await self.attempt_all((
            self.streams_tell_of_a_trade, self.batch_is_placed, self.batch_is_cancelled, self.all_are_cancelled,
            self.amended_below_its_fills, self.trailing_stop, self.stop_fires_into_an_order, self.close_all,
            self.hedge_mode, self.isolated_margin))
        for follower in followers:
            follower.cancel()
        return self.end()

    async def follow(self, name: str, watch: Any) -> None:
        """Keep what a stream of the account says."""
        while True:
            found = await watch()
            self.told[name] += [dict(each) for each in (found if isinstance(found, list) else [found])]

    def of_order(self, stream: str, order_id: str, **wanted: Any) -> list[dict[str, Any]]:
        """Return what a stream told of an order, where it says what is wanted."""
        key = "order" if stream == "trades" else "id"
        return [each for each in self.told[stream] if each.get(key) == order_id
                and all(each[name] == value for name, value in wanted.items())]

    async def at_market(self, side: str, amount: float, **params: Any) -> Any:
        """Take what is there."""
        return await self.client.create_order(self.symbol, "market", side, amount, None, params)

    async def best(self) -> tuple[float, float]:
        """Return the best bid and ask."""
        book = await self.client.fetch_order_book(self.symbol, 5)
        return book["bids"][0][0], book["asks"][0][0]

    async def resting(self, share: float) -> list[Any]:
        """Return a buy order at a share of the best bid, as arguments of create_order."""
        price = self.client.price_to_precision(self.symbol, (await self.best())[0] * share)
        return [self.symbol, "limit", "buy", self.amount, price]

    async def streams_tell_of_a_trade(self) -> Any:
        """A market order comes by all four streams."""
        order = await self.at_market("buy", self.amount)
        await until(lambda: self.of_order("orders", order["id"], status="closed"), "the filled order")
        trades = await until(lambda: self.of_order("trades", order["id"]), "its trade")
        assert trades[0]["fee"]["cost"] > 0, "with its fee"
        position = await until(
            lambda: [each for each in self.told["positions"] if each["contracts"] == self.amount], "its position")
        assert position[-1]["side"] == "long", "on the long side"
        # A balance is one growing document: its last form shows the fee.
        balance = await until(lambda: self.told["balance"], "the balance")
        await self.at_market("sell", self.amount, reduceOnly=True)
        await until(lambda: [each for each in self.told["positions"] if not each["contracts"]], "the flat position")
        return {"fee": trades[0]["fee"], "total": {k: v for k, v in balance[-1]["total"].items() if v}}

    async def batch_is_placed(self) -> Any:
        """Three orders in one request; the one that is wrong is refused by itself."""
        orders = [await self.resting(share) for share in (0.98, 0.97)]
        wrong = [self.symbol, "limit", "buy", self.amount, self.client.price_to_precision(self.symbol, 1)]
        keys = ("symbol", "type", "side", "amount", "price")
        placed = await self.client.create_orders([dict(zip(keys, order, strict=True)) for order in [*orders, wrong]])
        self.batch = [order["id"] for order in placed if order["id"]]
        refused = [order["info"] for order in placed if order["status"] == "rejected"]
        assert (len(self.batch), len(refused)) == (2, 1), f"two are placed and one is refused, was {placed}"
        return {"placed": self.batch, "refused": refused}

    async def batch_is_cancelled(self) -> Any:
        """Both are cancelled in one request."""
        cancelled = await self.client.cancel_orders(self.batch, self.symbol)
        assert [order["status"] for order in cancelled] == ["canceled"] * 2, "both must be cancelled"
        return self.batch

    async def all_are_cancelled(self) -> Any:
        """Everything that rests is cancelled in one request."""
        ids = [(await self.client.create_order(*await self.resting(share)))["id"] for share in (0.98, 0.975)]
        await self.client.cancel_all_orders(self.symbol)
        assert await self.client.fetch_open_orders(self.symbol) == [], "nothing may rest"
        for order_id in ids:
            await until(lambda one=order_id: self.of_order("orders", one, status="canceled"), "each cancel")
        return ids

    async def amended_below_its_fills(self) -> Any:
        """An order that is made no larger than what it has filled ends, and keeps its fills."""
        for _ in range(100):
            price, there = min((await self.client.fetch_order_book(self.symbol, 5))["asks"][:1])
            amount = float(self.client.amount_to_precision(self.symbol, there + 2 * self.amount))
            if there > 700 * self.amount:
                await asyncio.sleep(0.1)  # more than the account may take
                continue
            order = await self.client.create_order(self.symbol, "limit", "buy", amount, price)
            if seen := await self.ended_by_amending(order["id"], price):
                return seen
            await self.close_all()
        raise AssertionError("an order must be filled in part in one of the tries, was not")

    async def ended_by_amending(self, order_id: str, price: float) -> Any:
        """Amend an order that is filled in part to what is filled; None where the market was faster."""
        before = await self.client.fetch_order(order_id, self.symbol)
        if before["status"] != "open" or not before["filled"]:
            return None
        try:
            await self.client.edit_order(order_id, self.symbol, "limit", "buy", before["filled"], price)
        except ccxt.OrderNotFound:
            return None
        after = await self.client.fetch_order(order_id, self.symbol)
        assert after["status"] in {"canceled", "closed"}, f"it must end, was {after['status']}"
        assert after["filled"] >= before["filled"], "and keep what it has filled"
        return {"status": after["status"], "filled": after["filled"], "of": before["amount"]}

    async def trailing_stop(self) -> Any:
        """A trailing stop is taken, seen, and cancelled."""
        order = await self.client.create_order(
            self.symbol, "market", "sell", self.amount, None, {"trailingPercent": 2.5})
        found = await self.client.fetch_open_orders(self.symbol, params={"trigger": True})
        assert [each["id"] for each in found] == [order["id"]], "it must wait"
        assert found[0]["info"]["callbackRate"] == "2.5", f"with its rate, was {found[0]['info']}"
        await self.client.cancel_order(order["id"], self.symbol, {"trigger": True})
        return found[0]["info"]["orderType"]

    async def stop_fires_into_an_order(self) -> Any:
        """One of two stops around the price fires, and an ordinary order of the stream is what comes of it."""
        before = len(self.told["orders"])
        await self.stops_around_the_price()
        filled = await until(
            lambda: [each for each in self.told["orders"][before:]
                     if each["info"].get("X") == "FILLED" and "i" in each["info"]], "the order of a stop")
        await self.client.cancel_all_orders(self.symbol, {"trigger": True})
        found = await self.client.fetch_order(filled[0]["id"], self.symbol)
        assert found["status"] == "closed", "and it can be asked for"
        return {"id": found["id"], "average": found["average"]}

    async def stops_around_the_price(self) -> None:
        """Let two stops wait close to the price; the market may be faster than one of them, but not every time."""
        for side, share in (("buy", 1.00005), ("sell", 0.99995)):
            for _ in range(20):
                bid, ask = await self.best()
                price = self.client.price_to_precision(self.symbol, (ask if side == "buy" else bid) * share)
                try:
                    await self.client.create_order(
                        self.symbol, "market", side, self.amount, None, {"triggerPrice": price})
                except ccxt.ExchangeError as error:
                    assert "-2021" in str(error), f"only an order that fires at once is refused, was {error}"
                else:
                    break

    async def close_all(self) -> Any:
        """Whatever is held is closed."""
        await self.client.cancel_all_orders(self.symbol)
        for position in await self.client.fetch_positions([self.symbol]):
            if position["contracts"]:
                side = "sell" if position["side"] == "long" else "buy"
                await self.at_market(side, position["contracts"], reduceOnly=True)
        assert not [each for each in await self.client.fetch_positions([self.symbol]) if each["contracts"]], "flat"
        return "flat"

    async def hedge_mode(self) -> Any:
        """In hedge mode both sides are held at once."""
        await self.client.set_position_mode(True)
        try:
            await self.at_market("buy", self.amount, positionSide="LONG")
            await self.at_market("sell", 2 * self.amount, positionSide="SHORT")
            held = {each["side"]: each["contracts"] for each in await self.client.fetch_positions([self.symbol])
                    if each["contracts"]}
            assert held == {"long": self.amount, "short": 2 * self.amount}, f"both are held, was {held}"
            await self.at_market("sell", self.amount, positionSide="LONG")
            await self.at_market("buy", 2 * self.amount, positionSide="SHORT")
        finally:
            await self.client.set_position_mode(False)
        return held

    async def isolated_margin(self) -> Any:
        """A position with a margin of its own: the margin can be added to."""
        await self.client.set_margin_mode("isolated", self.symbol)
        await self.at_market("buy", self.amount)
        asset = self.client.market(self.symbol)["settle"]
        await self.client.add_margin(self.symbol, 10 if asset == "USDT" else 1)
        position = next(each for each in await self.client.fetch_positions([self.symbol]) if each["contracts"])
        assert position["marginMode"] == "isolated", f"it is isolated, was {position['marginMode']}"
        assert 0 < position["liquidationPrice"] < position["entryPrice"], "with a liquidation price below its entry"
        await self.at_market("sell", self.amount, reduceOnly=True)
        await self.client.set_margin_mode("cross", self.symbol)
        return {key: position[key] for key in ("entryPrice", "liquidationPrice", "collateral")}


async def main(name: str, *arguments: str) -> int:
    """Work the account and return the exit status."""
    client = pointed_at(name, *arguments)
    try:
        return await Account(name, client).run()
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
