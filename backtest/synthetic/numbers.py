"""Prices and quantities as the venue writes them: ticks and lots to text with the decimals of the filters."""

from decimal import Decimal

#: Prices that are kept as text: a book uses the same ones again and again.
_CACHED = 200_000


class Notation:
    """Writes whole steps of a filter, e.g. ticks of `0.10`: 940001 is `94000.10`."""

    def __init__(self, step: Decimal) -> None:
        exponent = step.as_tuple().exponent
        self._decimals = max(0, -exponent) if isinstance(exponent, int) else 0
        self._scale = 10**self._decimals
        self._units = int(step * self._scale)
        self._texts: dict[int, str] = {}

    def text(self, steps: int) -> str:
        """Return the text of so many steps."""
        if (known := self._texts.get(steps)) is not None:
            return known
        if len(self._texts) >= _CACHED:
            self._texts.clear()
        whole, rest = divmod(steps * self._units, self._scale)
        made = self._texts[steps] = f"{whole}.{rest:0{self._decimals}d}" if self._decimals else str(whole)
        return made


def product_text(steps: int, size: Decimal) -> str:
    """Return the exact text of so many steps of a size, such as a sum of ticks times lots."""
    return format(steps * size, "f")
