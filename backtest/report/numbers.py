"""Numbers as people read them: grouped thousands, a sensible number of digits, signs where they matter."""

from decimal import ROUND_HALF_EVEN, Decimal

from sluice.decimals import ZERO, text

_MINUS = "\N{MINUS SIGN}"


def count(value: int) -> str:
    """Return a whole number with its thousands apart: 1,234,567."""
    return f"{value:,}"


def money(value: Decimal, *, signed: bool = False) -> str:
    """Return an amount with two decimals, or with more where it is small: coins are worth a lot."""
    return _signed(value, f"{abs(rounded(value)):,f}", signed)


def trimmed(value: Decimal) -> str:
    """Return an amount as `money` does, without the zeros at its end."""
    return _signed(value, f"{Decimal(text(abs(rounded(value)))):,f}", signed=False)


def grouped(value: Decimal) -> str:
    """Return an exact number with its thousands apart."""
    return _signed(value, f"{Decimal(text(abs(value))):,f}", signed=False)


def percent(fraction: Decimal) -> str:
    """Return a fraction as a percentage with two decimals."""
    return f"{(fraction * 100).quantize(Decimal('0.01'))} %"


def rounded(value: Decimal) -> Decimal:
    """Return an amount rounded to what is worth reading: 2 decimals from 100 on, 4 from 1 on, 8 below."""
    size = abs(value)
    step = "0.01" if size >= 100 or value == ZERO else "0.0001" if size >= 1 else "0.00000001"
    return value.quantize(Decimal(step), ROUND_HALF_EVEN)


def _signed(value: Decimal, shown: str, signed: bool) -> str:
    if value < ZERO:
        return f"{_MINUS}{shown}"
    return f"+{shown}" if signed and value > ZERO else shown
