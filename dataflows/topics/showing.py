"""A message of a topic as one line of JSON, decoded by its contract. One that cannot be decoded is shown as it is."""

import importlib
from base64 import b64encode
from functools import cache
from typing import Any, Final

import msgspec
from google.protobuf import symbol_database
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message

from dataflows.sources.kafka.reading import ReceivedMessage
from dataflows.topics.times import text_of
from sluice.errors import InputError
from sluice.market.v1 import market_pb2
from sluice.topics.contracts import Contract
from sluice.topics.headers import check

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def line_of(message: ReceivedMessage, contract: Contract) -> str:
    """Return a message as one line: key, partition, offset, event time, headers, and `payload` or `problem`.

    A payload has the names of its protobuf message; a frame's own payload is the JSON that the venue sent. `problem`
    says why there is none, and `payload_base64` is what came instead.
    """
    shown: dict[str, Any] = {
        "key": message.key, "partition": message.partition, "offset": message.offset,
        "event_time": text_of(message.event_time_ns), "event_time_ns": message.event_time_ns,
        "headers": {name: (value or b"").decode(errors="replace") for name, value in message.headers}}
    try:
        check(message.headers, contract)
        shown["payload"] = _as_data(decoded(message.value, contract))
    except InputError as error:
        shown["problem"] = error.message
        shown["payload_base64"] = b64encode(message.value).decode()
    return msgspec.json.encode(shown).decode()


def decoded(value: bytes, contract: Contract) -> Message:
    """Return the protobuf message of a contract. Raises InputError where the bytes are none."""
    found = _class_of(contract.payload)()
    try:
        found.ParseFromString(value)
    except DecodeError:
        raise InputError(f"a message of {contract.name} must be {contract.payload} in protobuf, "
                         f"was {len(value)} other bytes") from None
    return found


@cache
def _class_of(name: str) -> type[Message]:
    package = name.rpartition(".")[0]
    importlib.import_module(f"{package}.{package.split('.')[1]}_pb2")  # makes its messages known
    found: type[Message] = symbol_database.Default().GetSymbol(name)
    return found


def _as_data(message: Message) -> dict[str, Any]:
    if isinstance(message, market_pb2.RawFrames):
        return {"instrument": message.instrument, "frames": [_frame(frame) for frame in message.frames]}
    return MessageToDict(message, preserving_proto_field_name=True)


def _frame(frame: market_pb2.RawFrame) -> dict[str, Any]:
    known = frame.venue in market_pb2.Venue.values()
    return {"sequence": frame.sequence, "receive_time_ns": frame.receive_time_ns,
            "venue": market_pb2.Venue.Name(frame.venue) if known else int(frame.venue), "payload": _json(frame.payload)}


def _json(payload: bytes) -> object:
    """Return JSON as it came, so that no digit changes; anything else as text."""
    try:
        document = msgspec.json.decode(payload)
    except _UNREADABLE:
        return payload.decode(errors="replace")
    return document if b"\n" in payload or b"\r" in payload else msgspec.Raw(payload)
