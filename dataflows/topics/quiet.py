"""Keeping standard error for what a command says itself. Nothing here loads a client: a help page stays quick."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: librdkafka says a line for each try to connect.
CLIENT: Final = "sluice.kafka"


@contextmanager
def muted(name: str) -> Iterator[None]:
    """Keep a logger's lines off standard error, for what an error or a later warning says; also a decorator."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
