"""Which instruments a run is about."""

from dataflows.tapes.reader import symbols
from sluice.config import Settings
from sluice.config.loading import catalog_of
from sluice.errors import NotFoundError
from sluice.instruments import InstrumentCatalog


def traded(settings: Settings) -> InstrumentCatalog:
    """Return the instruments of a run: the configured ones, or every catalogued one that the tapes name.

    An exchange lists far more than anybody wants to read: there it is every catalogued one, whatever it lists.
    """
    catalog = catalog_of(settings)
    if settings.source.instruments:
        return catalog.select(settings.source.instruments)
    if settings.source.kind == "exchange":
        return catalog
    found = sorted(symbols(settings.source.tapes))
    named = [instrument.key for symbol in found if (instrument := catalog.by_symbol(symbol))]
    if not named:
        raise NotFoundError(
            f"a tape must name a catalogued instrument, named {', '.join(found[:5]) or 'no symbol at all'}",
            fix="see what it holds: `sluice tape info PATH`; add its instruments under [[instruments]]")
    return catalog.select(named)
