"""Whether the venue's account is what the journal says: positions and open orders, at the start and ever after.

A difference means that somebody else trades on the account, that the exchange has (a liquidation), or that we missed
something. Positions and risk are wrong then, so execution does not begin to serve, and stops sending orders that could
grow a position where it serves already. It never corrects anything: that is a person's work.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from execution import metrics
from execution.desk import Desk
from execution.ledger import Ledger
from execution.venues.interface import AccountView, Holdings, VenueOutcomeUnknown
from sluice.decimals import ZERO, text
from sluice.errors import NotRunningError

_log = logging.getLogger("execution.account_check")
#: A word may be on its way: only a difference that is there each time counts.
_LOOKS: Final = 4
_PAUSE_S: Final = 0.5


class AccountCheck:
    """Compares the account of a venue with the desk's ledger. `at_start` once, then `watch` as a task."""

    def __init__(self, desk: Desk, view: AccountView, every_s: float, *, accept: bool) -> None:
        """`accept` takes what differs at the start as given, and looks for further differences alone."""
        self._desk = desk
        self._view = view
        self._every_s = every_s
        self._accept = accept
        self._accepted: frozenset[str] = frozenset()

    async def at_start(self) -> None:
        """Raise `NotRunningError` where account and journal do not agree, or the venue does not tell."""
        try:
            found = await self._lasting()
        except VenueOutcomeUnknown as error:
            raise NotRunningError(f"the venue must tell positions and open orders, did not: {error}",
                                  fix="start again when the venue answers") from None
        if found and not self._accept:
            raise NotRunningError(
                "the venue's account must be as the journal has it, was not: " + "; ".join(sorted(found)),
                fix="close what is not ours and cancel it, or set execution.accept_account = true to trade beside it")
        if found:
            _log.warning("accepted with the account: %s", "; ".join(sorted(found)))
        self._accepted = frozenset(found)

    async def watch(self) -> None:
        """Look for ever, until an account differs."""
        while not self._desk.doubt:
            await asyncio.sleep(self._every_s)
            try:
                found = await self._lasting()
            except VenueOutcomeUnknown as error:
                metrics.ACCOUNT_UNSEEN.inc()
                _log.warning("the account could not be compared with the journal: %s", error)
                continue
            if found:
                self._desk.distrust("; ".join(sorted(found)))

    async def _lasting(self) -> set[str]:
        lasting: set[str] | None = None
        for look in range(_LOOKS):
            if look:
                await asyncio.sleep(_PAUSE_S)
            found = set(differences(self._desk.ledger, await self._view.holdings())) - self._accepted
            lasting = found if lasting is None else lasting & found
            if not lasting:
                break
        return lasting or set()


def differences(ledger: Ledger, holdings: Holdings) -> Iterable[str]:
    """Yield what differs, each in words that stay the same while both sides trade on."""
    ours = ledger.positions()
    for key in sorted(ours.keys() | holdings.positions.keys()):
        more = _at(holdings.positions, key) - _at(ours, key)
        if more:
            yield f"the venue's position in {key} is {text(more)} more than the journal's"
    known = {order.client_order_id for order in ledger.open_orders()}
    for identity, key in holdings.open_orders.items():
        if identity not in known:
            yield f"the venue has order {identity[:64]} in {key} open, which is not open in the journal"


def _at(positions: Mapping[str, Decimal], key: str) -> Decimal:
    return positions.get(key, ZERO)
