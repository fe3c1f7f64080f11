"""The live end of the reports: every reader gets each report once, however slow it is and wherever it begins."""

import asyncio

import pytest

from execution.feed import ReportFeed


class Pages:
    """Journalled reports, read in pages of seven."""

    def __init__(self) -> None:
        self.reports: list[bytes] = []
        self.reads = 0

    async def read(self, first: int, last: int) -> list[bytes]:
        self.reads += 1
        await asyncio.sleep(0)
        return self.reports[first - 1:last][:7]


def publish(feed: ReportFeed, pages: Pages, count: int) -> None:
    new = [str(len(pages.reports) + number + 1).encode() for number in range(count)]
    pages.reports += new
    feed.publish(new)


async def read(feed: ReportFeed, first: int, last: int) -> list[int]:
    found: list[int] = []
    async for report in feed.follow(first):
        found.append(int(report))
        await asyncio.sleep(0)
        if found[-1] == last:
            break
    return found


@pytest.mark.parametrize("keep", [1, 3, 100])
@pytest.mark.parametrize("first", [1, 5, 20, 41])
def test_a_reader_gets_every_report_once_and_in_order(keep: int, first: int) -> None:
    async def story() -> None:
        pages = Pages()
        pages.reports = [str(number).encode() for number in range(1, 21)]
        feed = ReportFeed(20, pages.read, keep)
        reading = asyncio.ensure_future(read(feed, first, 60))
        for size in (1, 4, 0, 7, 20, 8):
            publish(feed, pages, size)
            await asyncio.sleep(0.001)
        assert await asyncio.wait_for(reading, 5) == list(range(first, 61))

    asyncio.run(story())


def test_what_is_in_memory_is_not_read_from_the_journal() -> None:
    async def story() -> None:
        pages = Pages()
        feed = ReportFeed(0, pages.read)
        publish(feed, pages, 9)
        assert await read(feed, 1, 9) == list(range(1, 10))
        assert pages.reads == 0

    asyncio.run(story())


def test_readers_wait_without_work_until_there_is_news() -> None:
    async def story() -> None:
        pages = Pages()
        feed = ReportFeed(0, pages.read)
        readings = [asyncio.ensure_future(read(feed, 1, 2)) for _ in range(5)]
        await asyncio.sleep(0.01)
        assert not any(reading.done() for reading in readings)
        publish(feed, pages, 2)
        assert await asyncio.gather(*readings) == [[1, 2]] * 5
        assert pages.reads <= 5

    asyncio.run(story())
