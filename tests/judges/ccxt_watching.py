"""An unmodified ccxt.pro that reads an exchange's market: every watch and fetch that an ordinary client makes use of.

    python ccxt_watching.py binanceusdm host:port KEY SECRET
"""

import asyncio
import sys
from typing import Any

from ccxt_client import TRADED, next_book, pointed_at
from judging import Judge


class Watching(Judge):
    """The steps, in their order."""

    def __init__(self, name: str, client: Any) -> None:
        super().__init__()
        self.client = client
        self.symbol, other, _ = TRADED[name]
        self.symbols = [self.symbol, other] if other else [self.symbol]

    async def run(self) -> int:
        """Go through all steps."""
        await self.client.load_markets()
        await self.attempt_all((
            self.books_of_all_symbols, self.trades_of_all_symbols, self.ticker, self.tickers, self.best_prices,
            self.bars, self.mark_price, self.bars_by_rest, self.funding_rate, self.funding_history,
            self.leverage_tiers, self.tickers_by_rest, self.trades_by_rest, self.open_interest, self.clean_farewell))
        return self.end()

    async def books_of_all_symbols(self) -> Any:
        """Books of several symbols stay in sync beside each other."""
        seen = set()
        for _ in range(10 * len(self.symbols)):
            book = await next_book(
                self.client, lambda: self.client.watch_order_book_for_symbols(self.symbols, 20))
            assert book["bids"][0][0] < book["asks"][0][0], "the book must not be crossed"
            seen.add(book["symbol"])
        assert seen == set(self.symbols), f"all books must come, came {seen}"
        return sorted(seen)

    async def trades_of_all_symbols(self) -> Any:
        """Trades of several symbols come, each with what a trade has."""
        seen: dict[str, Any] = {}
        while set(seen) != set(self.symbols):
            for trade in await self.client.watch_trades_for_symbols(self.symbols):
                assert trade["price"] > 0, "a trade has a price"
                assert trade["side"] in {"buy", "sell"}, "and a side"
                seen[trade["symbol"]] = trade["id"]
        return seen

    async def ticker(self) -> Any:
        """The ticker of the day comes."""
        ticker = await self.client.watch_ticker(self.symbol)
        assert ticker["low"] <= ticker["last"] <= ticker["high"], "the last price is between the extremes"
        return {key: ticker[key] for key in ("last", "high", "low", "baseVolume", "vwap")}

    async def tickers(self) -> Any:
        """The tickers of the whole market come, of both products as at the venue, with our symbols among them."""
        seen: set[str] = set()
        while not seen >= set(self.symbols):
            seen |= set(await self.client.watch_tickers())
        return sorted(seen)

    async def best_prices(self) -> Any:
        """The best prices come."""
        found = (await self.client.watch_bids_asks([self.symbol]))[self.symbol]
        assert found["bid"] < found["ask"], "the bid is below the ask"
        return {"bid": found["bid"], "ask": found["ask"]}

    async def bars(self) -> Any:
        """The bar of this minute comes."""
        bars = await self.client.watch_ohlcv(self.symbol, "1m")
        _, opened, high, low, close, volume = bars[-1]
        assert low <= min(opened, close) <= max(opened, close) <= high, "a bar holds its prices"
        return {"close": close, "volume": volume}

    async def mark_price(self) -> Any:
        """The mark price comes, near the last one."""
        ticker = await self.client.watch_mark_price(self.symbol)
        last = (await self.client.fetch_ticker(self.symbol))["last"]
        assert abs(ticker["markPrice"] / last - 1) < 0.01, "the mark price is near the last one"
        return {"mark": ticker["markPrice"], "last": last}

    async def bars_by_rest(self) -> Any:
        """Bars of several lengths are there."""
        found = {length: await self.client.fetch_ohlcv(self.symbol, length, limit=5) for length in ("1m", "1h", "1d")}
        assert all(bars and bars[-1][2] >= bars[-1][3] for bars in found.values()), "each has bars"
        return {length: len(bars) for length, bars in found.items()}

    async def funding_rate(self) -> Any:
        """The funding rate and its next time are there."""
        found = await self.client.fetch_funding_rate(self.symbol)
        assert found["fundingTimestamp"] > self.client.milliseconds(), "the next funding lies ahead"
        return {key: found[key] for key in ("fundingRate", "fundingDatetime", "markPrice")}

    async def funding_history(self) -> Any:
        """The history of funding can be asked for; a market of a minute has none."""
        return len(await self.client.fetch_funding_rate_history(self.symbol))

    async def leverage_tiers(self) -> Any:
        """The leverage tiers rise."""
        tiers = (await self.client.fetch_leverage_tiers([self.symbol]))[self.symbol]
        rates = [tier["maintenanceMarginRate"] for tier in tiers]
        assert len(rates) > 1, "there are several tiers"
        assert rates == sorted(rates), "and their rates rise"
        return {"tiers": len(tiers), "most leverage": tiers[0]["maxLeverage"]}

    async def tickers_by_rest(self) -> Any:
        """All tickers and best prices are there."""
        tickers, best = await self.client.fetch_tickers(), await self.client.fetch_bids_asks()
        assert self.symbol in tickers, "the ticker is there"
        assert self.symbol in best, "and the best prices"
        return {"tickers": len(tickers), "best": len(best)}

    async def trades_by_rest(self) -> Any:
        """Trades are there, oldest first."""
        trades = await self.client.fetch_trades(self.symbol, limit=50)
        times = [trade["timestamp"] for trade in trades]
        assert times, "there are trades"
        assert times == sorted(times), "oldest first"
        return len(trades)

    async def open_interest(self) -> Any:
        """The open interest is answered."""
        return (await self.client.fetch_open_interest(self.symbol))["openInterestAmount"]

    async def clean_farewell(self) -> Any:
        """A stream can be left again."""
        await self.client.un_watch_trades(self.symbol) if len(self.symbols) > 1 else None
        return "left"


async def main(name: str, *arguments: str) -> int:
    """Watch and return the exit status."""
    client = pointed_at(name, *arguments)
    try:
        return await Watching(name, client).run()
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
