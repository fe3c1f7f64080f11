"""Commands as values: everything a client can change, written down so that an exchange can be rebuilt from it.

A command says after how many frames it came and at which time. Playing the same frames into a new exchange and applying
the commands between them gives the same orders, ids, money and events; refused commands are refused again.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from backtest.exchange.core.domain import OrderTicket, Product
from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.core.staging import Stages
from dataflows.tapes.frames import Frame
from sluice.errors import InputError
from sluice.orders import PositionSide, PriceMatch, Side

if TYPE_CHECKING:
    from backtest.exchange.core.exchange import Exchange


class Command(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What came when: `frames` had been played, `time_ns` was the exchange's time."""

    account: str
    frames: int = 0
    time_ns: int = 0

    def apply(self, exchange: "Exchange") -> Any:
        """Do it. Raises `ExchangeError` where the exchange refuses."""
        raise NotImplementedError


class OpenAccount(Command, frozen=True, kw_only=True):
    """Open an account with balances by product and asset; more money where it is open already."""

    balances: dict[str, dict[str, Decimal]]

    def apply(self, exchange: "Exchange") -> None:
        """Do it."""
        exchange.open_account(self.account, {Product(name): assets for name, assets in self.balances.items()})


class Place(Command, frozen=True, kw_only=True):
    """Place an ordinary order."""

    ticket: OrderTicket

    def apply(self, exchange: "Exchange") -> Any:
        """Do it."""
        return exchange.place(self.account, self.ticket)


class Amend(Command, frozen=True, kw_only=True):
    """Change an order's price and quantity."""

    symbol: str
    order_id: int | None
    client_order_id: str | None
    side: Side | None
    price: Decimal | None
    quantity: Decimal | None
    modify_id: str = ""
    price_match: PriceMatch | None = None

    def apply(self, exchange: "Exchange") -> Any:
        """Do it."""
        return exchange.amend(
            self.account, self.symbol, self.order_id, self.client_order_id, self.side, self.price, self.quantity,
            self.modify_id, self.price_match)


class Cancel(Command, frozen=True, kw_only=True):
    """Cancel an order."""

    symbol: str
    order_id: int | None
    client_order_id: str | None

    def apply(self, exchange: "Exchange") -> Any:
        """Do it."""
        return exchange.cancel(self.account, self.symbol, self.order_id, self.client_order_id)


class CancelAll(Command, frozen=True, kw_only=True):
    """Cancel every ordinary order of a symbol."""

    symbol: str

    def apply(self, exchange: "Exchange") -> Any:
        """Do it."""
        return exchange.cancel_all(self.account, self.symbol)


class Countdown(Command, frozen=True, kw_only=True):
    """Cancel a symbol's orders after a time unless this comes again; 0 stops it."""

    symbol: str
    milliseconds: int

    def apply(self, exchange: "Exchange") -> None:
        """Do it."""
        exchange.countdown(self.account, self.symbol, self.milliseconds)


class PlaceAlgo(Command, frozen=True, kw_only=True):
    """Place a conditional order."""

    ticket: OrderTicket

    def apply(self, exchange: "Exchange") -> Any:
        """Do it."""
        return exchange.place_algo(self.account, self.ticket)


class CancelAlgo(Command, frozen=True, kw_only=True):
    """Cancel a conditional order."""

    algo_id: int | None
    client_algo_id: str | None

    def apply(self, exchange: "Exchange") -> Any:
        """Do it."""
        return exchange.cancel_algo(self.account, self.algo_id, self.client_algo_id)


class CancelAllAlgo(Command, frozen=True, kw_only=True):
    """Cancel every conditional order of a symbol."""

    symbol: str

    def apply(self, exchange: "Exchange") -> Any:
        """Do it."""
        return exchange.cancel_all_algo(self.account, self.symbol)


class SetLeverage(Command, frozen=True, kw_only=True):
    """Change a symbol's leverage."""

    symbol: str
    leverage: int

    def apply(self, exchange: "Exchange") -> Any:
        """Do it."""
        return exchange.set_leverage(self.account, self.symbol, self.leverage)


class SetMarginType(Command, frozen=True, kw_only=True):
    """Change a symbol between cross and isolated margin."""

    symbol: str
    isolated: bool

    def apply(self, exchange: "Exchange") -> None:
        """Do it."""
        exchange.set_margin_type(self.account, self.symbol, isolated=self.isolated)


class SetPositionMode(Command, frozen=True, kw_only=True):
    """Change between one-way and hedge mode."""

    hedge: bool
    product: Product | None = None

    def apply(self, exchange: "Exchange") -> None:
        """Do it."""
        exchange.set_position_mode(self.account, hedge=self.hedge, product=self.product)


class SetMultiAssets(Command, frozen=True, kw_only=True):
    """Change the multi-assets mode."""

    enabled: bool

    def apply(self, exchange: "Exchange") -> None:
        """Do it."""
        exchange.set_multi_assets(self.account, enabled=self.enabled)


class AdjustPositionMargin(Command, frozen=True, kw_only=True):
    """Add margin to an isolated position, or (negative) take some."""

    symbol: str
    position_side: PositionSide
    amount: Decimal

    def apply(self, exchange: "Exchange") -> None:
        """Do it."""
        exchange.adjust_position_margin(self.account, self.symbol, self.position_side, self.amount)


class StageFills(Command, frozen=True, kw_only=True):
    """Let coming fills be told in parts; None ends it."""

    stages: Stages | None

    def apply(self, exchange: "Exchange") -> None:
        """Do it."""
        exchange.stage_fills(self.account, self.stages)


AnyCommand = (
    OpenAccount | Place | Amend | Cancel | CancelAll | Countdown | PlaceAlgo | CancelAlgo | CancelAllAlgo | SetLeverage
    | SetMarginType | SetPositionMode | SetMultiAssets | AdjustPositionMargin | StageFills
)
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


def stamped(command: Command, frames: int, time_ns: int) -> Command:
    """Return a command with its place."""
    return msgspec.structs.replace(command, frames=frames, time_ns=time_ns)


def encode(command: Command) -> bytes:
    """Return a command as one line of JSON, without its end."""
    return _ENCODER.encode(command)


def decode(line: bytes) -> AnyCommand:
    """Return the command of a line. Raises `InputError`."""
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"a line of a command log must be a command, was {line[:60]!r}: {error}") from error


def rebuild(exchange: "Exchange", frames: Iterator[Frame], commands: Iterable[Command]) -> None:
    """Play frames into a new exchange and apply commands where they came; refusals are passed over.

    Raises `InputError` where the frames end before a command's place: then the log is that of another tape.
    """
    for command in commands:
        while exchange.frames_played < command.frames:
            frame = next(frames, None)
            if frame is None:
                raise InputError(f"a command log must fit its tape, whose frames end before frame {command.frames}",
                                 fix="name the tape that the log was written with")
            exchange.on_frame(frame)
        exchange.advance_to(command.time_ns)
        try:
            command.apply(exchange)
        except ExchangeError:
            continue
