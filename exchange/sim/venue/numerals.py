"""How Binance writes numbers: strings, never exponents."""

from decimal import Decimal

from exchange.sim.venue.positions import money

_FINEST = Decimal("1e-12")


def plain(value: Decimal) -> str:
    """Write a price or quantity with at most twelve decimals and no trailing zeros."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -12:
        value = value.quantize(_FINEST)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def cash(value: Decimal) -> str:
    """Write an amount of money with its eight decimals."""
    return format(money(value) + 0, "f")
