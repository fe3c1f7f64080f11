"""How this system's Kafka clients are made: where the broker is, how they log, and what its errors mean to a person.

librdkafka prints to standard error by itself; here its lines go to the logger `sluice.kafka`.
"""

import logging
import socket
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from sluice.config.kafka import KafkaSettings
from sluice.errors import ConfigurationError, NotRunningError

LOG: Final = logging.getLogger("sluice.kafka")
_PROBE_TIMEOUT_S: Final = 1.0
#: Asked for again this often at first, and at most this seldom, while a broker is away.
_RECONNECT_MS: Final = {"reconnect.backoff.ms": 100, "reconnect.backoff.max.ms": 2_000}
_AWAY: Final = frozenset({
    KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE,  # noqa: SLF001  # its public names
    KafkaError._MSG_TIMED_OUT, KafkaError.REQUEST_TIMED_OUT, KafkaError.BROKER_NOT_AVAILABLE})  # noqa: SLF001


def client_configuration(
    kafka: KafkaSettings, own: Mapping[str, Any] | None = None, *, fixed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return librdkafka's configuration of a client.

    `own` are defaults of the caller's, which `kafka.client` may change; `fixed` is what it may not.
    """
    given = {name: value.get_secret_value() for name, value in kafka.client.items()}
    return {"client.id": "sluice", **_RECONNECT_MS, **(own or {}), **given, **(fixed or {}),
            "bootstrap.servers": ",".join(kafka.bootstrap_servers), "logger": LOG}


def admin_client(kafka: KafkaSettings) -> AdminClient:
    """Return a client that asks about topics and makes them. Raises ConfigurationError for a wrong `kafka.client`."""
    client: AdminClient = made(AdminClient, client_configuration(kafka))
    return client


def made(client: Any, configuration: dict[str, Any]) -> Any:
    """Make a client of confluent_kafka. Raises ConfigurationError where librdkafka refuses its configuration."""
    try:
        return client(configuration)
    except KafkaException as error:
        raise ConfigurationError([f"kafka.client must be properties of librdkafka, was refused: {text_of(error)}"],
                                 fix="see its CONFIGURATION.md for names and values") from None


def metadata(client: Any, kafka: KafkaSettings) -> ClusterMetadata:
    """Return the cluster's topics and partitions. Raises NotRunningError where no broker answers in time."""
    try:
        found: ClusterMetadata = client.list_topics(timeout=kafka.request_timeout_s)
    except KafkaException as error:
        raise away(kafka, error) from None
    return found


def away(kafka: KafkaSettings, error: KafkaException) -> NotRunningError:
    """Return the error for a broker that does not answer."""
    where = ",".join(kafka.bootstrap_servers)
    why = "no answer" if error.args[0].code() in _AWAY else text_of(error)
    return NotRunningError(f"Kafka must answer at {where} within {kafka.request_timeout_s} s, did not: {why}",
                           fix="start the broker, or correct kafka.bootstrap_servers and kafka.client")


def is_away(error: KafkaError) -> bool:
    """Tell whether an error says that no broker can be reached, which may pass."""
    return error.code() in _AWAY


def text_of(error: KafkaException) -> str:
    """Return what Kafka says, in its own words."""
    return str(error.args[0].str() if isinstance(error.args[0], KafkaError) else error)


def answers(bootstrap_servers: str) -> bool:
    """Tell whether a broker at `host:port` answers a request for metadata as one that serves. Takes up to a second."""
    host, _, port = bootstrap_servers.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_PROBE_TIMEOUT_S).close()
    except OSError:
        return False  # spares a client, whose threads outlive a refused connection for a while
    configuration: dict[str, Any] = {"bootstrap.servers": bootstrap_servers, "logger": LOG}
    client = AdminClient(configuration)
    try:
        return bool(client.list_topics(timeout=_PROBE_TIMEOUT_S).brokers)
    except KafkaException:
        return False
