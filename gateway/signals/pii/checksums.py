"""Check digits: what tells a real number from one that only looks like it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# The dihedral group D5, and the permutation of each place (J. Verhoeff, 1969).
_D5: Final = (
    *("0123456789", "1234067895", "2340178956", "3401289567", "4012395678"),
    *("5987604321", "6598710432", "7659821043", "8765932104", "9876543210"),
)
_PLACES: Final = (
    *("0123456789", "1576283094", "5803796142", "8916043527"),
    *("9453126870", "4286573901", "2793806415", "7046913258"),
)


def luhn(digits: str) -> bool:
    """Tell whether the last digit is right by Luhn (ISO/IEC 7812-1): cards, and several national numbers."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def verhoeff(digits: str) -> bool:
    """Tell whether the last digit is right by Verhoeff's dihedral scheme."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_D5[check][int(_PLACES[place % 8][int(digit)])])
    return check == 0


def mod_97(text: str) -> int:
    """Return the remainder by 97 of a number with letters, A being 10 and Z 35 (ISO 7064)."""
    return int("".join(str(int(char, 36)) for char in text)) % 97


def mod_11_10(digits: str) -> bool:
    """Tell whether the last digit is right by the hybrid scheme of ISO 7064, Mod 11,10."""
    product = 10
    for digit in digits[:-1]:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return (product + int(digits[-1])) % 10 == 1


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Return the sum of the digits times their weights; the shorter of the two ends it."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def is_date(year: str, month: str, day: str) -> bool:
    """Tell whether there is such a day; a year of two digits is taken for one of 1900 or of 2000."""
    years = [int(year)] if len(year) == 4 else [1900 + int(year), 2000 + int(year)]
    return any(_exists(number, int(month), int(day)) for number in years)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
