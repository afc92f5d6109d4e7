"""Dollars as whole nano-dollars: exact, and small enough for a 64-bit integer."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

#: Digits after the point of one dollar.
SCALE = 9

_NANO = Decimal(1).scaleb(-SCALE)
# Wide enough for every amount that an integer column holds, so that rounding happens once, to the nano-dollar.
_EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)


def to_nanos(usd: Decimal) -> int:
    """Return dollars as nano-dollars, rounded half even.

    Raises `ValueError` for NaN and infinities, `ArithmeticError` for an amount of more than 40 digits.
    """
    if not usd.is_finite():
        raise ValueError(f"{usd} is no amount of dollars; use None where it is unknown")
    return int(usd.quantize(_NANO, context=_EXACT).scaleb(SCALE, context=_EXACT))


def from_nanos(nanos: int) -> Decimal:
    """Return nano-dollars as dollars, with nine digits after the point."""
    return Decimal(nanos).scaleb(-SCALE, context=_EXACT)
