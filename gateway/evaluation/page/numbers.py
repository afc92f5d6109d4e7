"""Numbers as a reader wants them: aligned, with a real minus, and a dash where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN = "\N{EN DASH}"


def fixed(value: float | None, digits: int = 3) -> str:
    """Return a number with so many decimals.

    Example:
        >>> fixed(0.73341)
        '0.733'
    """
    # Adding zero takes the sign off one that was rounded to it.
    return UNKNOWN if value is None else _minus(f"{round(value, digits) + 0.0:.{digits}f}")


def signed(value: float | None, digits: int = 3) -> str:
    """Return a difference, with its sign unless it rounds to nothing."""
    if value is None:
        return UNKNOWN
    text = f"{value:+.{digits}f}"
    return f"{0:.{digits}f}" if not float(text) else _minus(text)


def span(interval: Sequence[float | None] | None, digits: int = 3) -> str:
    """Return an interval, or nothing where either end is missing."""
    if interval is None or None in interval:
        return ""
    return f"[{', '.join(fixed(end, digits) for end in interval)}]"


def dollars(cost_usd: float | None) -> str:
    """Return what a thousand prompts cost, from what one costs on average.

    Example:
        >>> dollars(0.000539), dollars(0.0123)
        ('$0.539', '$12.3')
    """
    if cost_usd is None:
        return UNKNOWN
    thousand = cost_usd * 1000
    return f"${thousand:.3g}" if abs(thousand) < 1000 else f"${thousand:,.0f}"


def count(number: int | None) -> str:
    """Return a whole number with its thousands apart."""
    return UNKNOWN if number is None else f"{number:,}"


def _minus(text: str) -> str:
    # As wide as a plus, which a hyphen is not.
    return text.replace("-", "\N{MINUS SIGN}")
