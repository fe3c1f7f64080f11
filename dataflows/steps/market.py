"""The market step: one `MarketActor` per instrument inside a Bytewax stateful step.

Takes an instrument's frames and ticks; gives a `TickRow` for every tick and a dead letter for every frame that could
not be used.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from bytewax.operators import StatefulBatchLogic

from dataflows.actors.market import FeatureRow, MarketActor
from dataflows.deadletters import DeadLetter
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.market_actors import market_actor
from dataflows.sources.tape import DEAD_LETTERS, MarketInput
from dataflows.tapes.frames import Frame
from dataflows.ticks import Tick
from sluice.instruments import InstrumentCatalog


class TickRow(NamedTuple):
    """A feature row with the tick it was made at and the mean time that a frame took before it."""

    row: FeatureRow
    tick: Tick
    frame_ns: int
    dead_letters: tuple[tuple[str, int], ...]


class MarketState(NamedTuple):
    """What the step remembers of a key: the actor's record, and its dead letters by reason."""

    key: str
    snapshot: bytes
    dead_letters: tuple[tuple[str, int], ...] = ()


class MarketLogic(StatefulBatchLogic[MarketInput, TickRow | DeadLetter, MarketState]):
    """Runs the actor of one key. The key comes with the values, as Bytewax does not tell it."""

    def __init__(
        self, catalog: InstrumentCatalog, state: MarketState | None, schema: FeatureSchema = MARKET_SCHEMA
    ) -> None:
        state = MarketState(*state) if state else MarketState("", b"")
        self._catalog = catalog
        self._schema = schema
        self._key = state.key
        self._actor = market_actor(catalog.require(state.key), schema, state.snapshot) if state.key else None
        self._dead_letters = Counter(dict(state.dead_letters))
        self._busy_ns, self._frames = 0, 0

    def on_batch(self, values: list[MarketInput]) -> tuple[list[TickRow | DeadLetter], bool]:
        """Feed frames and ticks to the actor, in order."""
        if values[0][0] == DEAD_LETTERS:
            return [letter for _, letter in values if isinstance(letter, DeadLetter)], False
        if self._actor is None:
            self._key = values[0][0]
            self._actor = market_actor(self._catalog.require(self._key), self._schema)
        return self._run(self._actor, values), False

    def on_eof(self) -> tuple[list[TickRow | DeadLetter], bool]:
        """Emit nothing: the end of the input may be a stop, after which the stream goes on."""
        return [], False

    def snapshot(self) -> MarketState:
        """Return the key and the actor's record."""
        return MarketState(self._key, self._actor.snapshot() if self._actor else b"", self._counted())

    def _run(self, actor: MarketActor, values: list[MarketInput]) -> list[TickRow | DeadLetter]:
        outputs: list[TickRow | DeadLetter] = []
        frames: list[Frame] = []
        for _, value in values:
            if isinstance(value, Frame):
                frames.append(value)
            elif isinstance(value, Tick):
                outputs += self._take(actor, frames)
                frames.clear()
                outputs.append(TickRow(actor.on_tick(value.time_ns), value, self._frame_ns(), self._counted()))
        return outputs + self._take(actor, frames)

    def _take(self, actor: MarketActor, frames: list[Frame]) -> list[DeadLetter]:
        """Feed the frames between two ticks to the actor, in one pass."""
        if not frames:
            return []
        started = time.perf_counter_ns()
        letters = actor.on_frames(frames)
        self._busy_ns += time.perf_counter_ns() - started
        self._frames += len(frames)
        self._dead_letters.update(letter.reason.name for letter in letters)
        return letters

    def _counted(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(self._dead_letters.items()))

    def _frame_ns(self) -> int:
        mean = self._busy_ns // self._frames if self._frames else 0
        self._busy_ns, self._frames = 0, 0
        return mean


def market_logic(
    catalog: InstrumentCatalog, schema: FeatureSchema = MARKET_SCHEMA
) -> Callable[[MarketState | None], MarketLogic]:
    """Return the builder that Bytewax calls for each instrument, with the state to resume from."""
    return lambda state: MarketLogic(catalog, state, schema)
