"""Log lines: one event, one line."""

import logging
import re
from collections.abc import Iterator

import pytest

from sluice.telemetry.logging import configure


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Leave the root logger as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_line_holds_time_level_logger_message_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    fields = {"instrument": "BINANCE_USDM:BTCUSDT", "reason": "too large"}
    logging.getLogger("sluice.test").info("order %s", "refused", extra={"fields": fields})
    assert re.fullmatch(
        r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO sluice\.test order refused '
        r'instrument=BINANCE_USDM:BTCUSDT reason="too large"', lines(capsys)[0])


def test_message_from_outside_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    logging.getLogger("sluice.test").warning("bad frame %s", "x\n2026-01-01T00:00:00.000Z INFO sluice.risk resumed")
    assert len(lines(capsys)) == 1


def test_traceback_stays_on_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("sluice.test").exception("call failed")
    written = lines(capsys)
    assert len(written) == 1
    assert "ValueError: broken" in written[0]


def test_line_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING")
    logging.getLogger("sluice.test").info("quiet")
    assert lines(capsys) == []


def test_second_configuration_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    configure("INFO")
    logging.getLogger("sluice.test").info("once")
    assert len(lines(capsys)) == 1
