"""Why a frame is a dead letter, by what a kernel said of it: what it did to the book, or which gate set it aside."""

from dataflows.actors.market_gates import SET_ASIDE_RESULT
from dataflows.book.state import BookResult
from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.kernels import RecordArray

_PRICE, _QUANTITY = "price must be positive and finite, was not", "quantity must be finite and positive, was not"
_BOOK: dict[int, tuple[Reason, str]] = {
    int(BookResult.GAP): (
        Reason.SEQUENCE_GAP, "pu must be the last update's u, was not: the book is stale until the next snapshot"),
    int(BookResult.SNAPSHOT_TOO_OLD): (
        Reason.SEQUENCE_GAP,
        "lastUpdateId must be at least U of the first waiting update, was less: the book stays stale"),
    int(BookResult.CROSSED): (Reason.CROSSED_BOOK, "best bid must be below best ask, was not"),
    int(BookResult.OFF_TICK): (
        Reason.INVALID_PRICE, "price must be a multiple of the instrument's tick size, was not"),
}
_GATES: dict[Reason, str] = {
    Reason.INVALID_PRICE: _PRICE,
    Reason.INVALID_QUANTITY: _QUANTITY,
    Reason.CROSSED_BOOK: "best bid must be below best ask, was above it",
    Reason.LOCKED_BOOK: "best bid must be below best ask, was equal to it",
    Reason.FAR_PRICE: "price must be near the market's, was far off",
    Reason.DUPLICATE_ID: "id must be new, was seen before",
}


def verdict_of(result: int, book: RecordArray) -> tuple[Reason, str]:
    """Return the reason and the message for a frame that was refused; `book` is as the frame left it."""
    if result == BookResult.CROSSED and book["bids"]["best"][0] == -book["asks"]["best"][0]:
        return Reason.LOCKED_BOOK, _GATES[Reason.LOCKED_BOOK]
    if result < SET_ASIDE_RESULT:
        return _BOOK[result]
    reason = Reason(result - SET_ASIDE_RESULT)
    return reason, _GATES.get(reason, f"frame must pass the gates, was set aside: {reason.name}")
