"""Kafka's sections: unknown keys and wrong values are errors, secrets are masked, what is written is read again."""

from pathlib import Path

import pytest

from sluice.config.loading import load_settings
from sluice.config.writing import write_settings
from sluice.errors import ConfigurationError


def settings_of(tmp_path: Path, text: str) -> object:
    path = tmp_path / "sluice.toml"
    path.write_text(text)
    return load_settings(path, {})


@pytest.mark.parametrize(("text", "named"), [
    ("[kafka]\nservers = ['a:1']", "kafka.servers"), ("[kafka]\nbootstrap_servers = []", "kafka.bootstrap_servers"),
    ("[kafka]\nbootstrap_servers = ['localhost']", "kafka.bootstrap_servers"),
    ("[kafka]\nbootstrap_servers = ['http://localhost:9092']", "kafka.bootstrap_servers"),
    ("[topics]\nraws = 1", "topics.raws"), ("[topics.raw]\nretention = 1", "topics.raw.retention"),
    ("[topics.raw]\npartitions = 0", "topics.raw.partitions"), ("[topics]\nprefix = 'a b'", "topics.prefix")])
def test_mistake_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named.replace(".", r"\.")):
        settings_of(tmp_path, text)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    settings = load_settings(None, {
        "SLUICE_KAFKA__BOOTSTRAP_SERVERS": "a:9092,[::1]:9093", "SLUICE_TOPICS__RAW__PARTITIONS": "32",
        "SLUICE_TOPICS__AUDIT__RETENTION_HOURS": "", "SLUICE_KAFKA__CLIENT": '{"sasl.password": "correct horse"}'})
    assert settings.kafka.bootstrap_servers == ("a:9092", "[::1]:9093")
    assert (settings.topics.raw.partitions, settings.topics.audit.retention_hours) == (32, None)
    write_settings(settings, tmp_path / "run.toml")
    assert load_settings(tmp_path / "run.toml", {}) == settings
    assert "correct horse" not in repr(settings)
