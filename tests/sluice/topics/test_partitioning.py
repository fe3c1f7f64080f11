"""The partitioner is that of Kafka's Java clients, whose answers stand here."""

import pytest

from sluice.instruments import InstrumentCatalog
from sluice.topics.partitioning import murmur2, partition_of

#: Key, and what Utils.murmur2 and BuiltInPartitioner.partitionForKey of kafka-clients 4.1.1 answer: for 16 and for 7.
JAVA = [
    ("BINANCE_USDM:BTCUSDT", -1845078293, 11, 0), ("BINANCE_USDM:ETHUSDT", -1456848172, 4, 6),
    ("BINANCE_COINM:BTCUSD_PERP", -1351310590, 2, 2), ("BINANCE_COINM:ETHUSD_PERP", -1979463999, 1, 0),
    ("a", -1563381124, 12, 5), ("ab", 316155434, 10, 0), ("abc", 479470107, 11, 4), ("abcd", -1323649548, 4, 5),
    ("", 275646681, 9, 2), ("ünïcode:✓", -599900620, 4, 5), ("BINANCE_USDM:1000PEPEUSDT", 1738372201, 9, 6),
    ("risk-1", -1483621520, 0, 6)]


@pytest.mark.parametrize(("key", "hashed", "of_16", "of_7"), JAVA)
def test_key_goes_where_a_java_client_sends_it(key: str, hashed: int, of_16: int, of_7: int) -> None:
    assert murmur2(key.encode()) == hashed & 0xFFFFFFFF
    assert (partition_of(key, 16), partition_of(key, 7)) == (of_16, of_7)


def test_every_shipped_instrument_has_a_partition() -> None:
    assert {partition_of(instrument.key, 16) for instrument in InstrumentCatalog.shipped()} <= set(range(16))
