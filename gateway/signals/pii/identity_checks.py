"""The rules of national identity numbers, each by its country: a compact number in, whether it may exist out."""

from __future__ import annotations

from collections import Counter
from typing import Final

from gateway.signals.pii.checksums import is_date, luhn, mod_11_10, weighted

_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU_MARKS: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
#: What a character in an odd place counts in an Italian tax code, in the order of 0-9 and A-Z.
_ODD_PLACES: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS: Final = (*_ODD_PLACES, *_ODD_PLACES, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_CURP_MARKS: Final = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"


def ssn(number: str) -> bool:
    """United States: no area 000 or 666, no group 00, no serial 0000; areas of 9 are taxpayer numbers (ITIN)."""
    area, group, serial = number[:3], int(number[3:5]), number[5:]
    taxpayer = 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94
    return area not in {"000", "666"} and group > 0 and serial != "0000" and (area < "900" or taxpayer)


def nino(number: str) -> bool:
    """United Kingdom: prefixes that are never given out; QQ and ZZ...T are those of specimens."""
    return number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"} or (number[:2], number[-1]) == ("ZZ", "T")


def dni(number: str) -> bool:
    """Spain: the letter is the remainder by 23; X, Y and Z of a foreigner's number stand for 0, 1 and 2."""
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return number[-1] == _DNI_LETTERS[int(digits) % 23]


def codice_fiscale(number: str) -> bool:
    """Italy: the last letter sums what the others count in their places."""
    odd = sum(_ODD_LETTERS[int(char, 36)] for char in number[0:15:2])
    even = sum(int(char) if char.isdigit() else ord(char) - 65 for char in number[1:15:2])
    return chr(65 + (odd + even) % 26) == number[-1]


def nir(number: str) -> bool:
    """France: 97 less the remainder by 97; 2A and 2B, Corsica, count as 19 and 18."""
    digits = number[:13].replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and 97 - int(digits) % 97 == int(number[13:])


def steuer_id(number: str) -> bool:
    """Germany: of the first ten digits one comes twice or three times and the others once at most (ISO 7064 check)."""
    counts = sorted(Counter(number[:10]).values())
    return counts[-1] in {2, 3} and counts[-2] == 1 and mod_11_10(number)


def versicherungsnummer(number: str) -> bool:
    """Germany, pension insurance: the letter counts as two digits."""
    digits = number[:8] + f"{ord(number[8]) - 64:02}" + number[9:11]
    products = (int(digit) * weight for digit, weight in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return is_date(number[6:8], number[4:6], number[2:4]) and sum(sum(divmod(x, 10)) for x in products) % 10 == int(
        number[11]
    )


def bsn(number: str) -> bool:
    """Netherlands: the test of eleven, with the last digit taken off."""
    return int(number) > 9_999_999 and (weighted(number, range(9, 1, -1)) - int(number[-1])) % 11 == 0


def pesel(number: str) -> bool:
    """Poland: the century is in the month."""
    month = f"{int(number[2:4]) % 20:02}"
    return is_date(number[:2], month, number[4:6]) and weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def personnummer(number: str) -> bool:
    """Sweden: Luhn over the last ten; 60 is added to the day of a coordination number."""
    short = number[-10:]
    day = int(short[4:6])
    return is_date(number[:-8], short[2:4], f"{day - 60 if day > 60 else day:02}") and luhn(short)


def cpf(number: str) -> bool:
    """Brazil: two digits by eleven."""
    first = weighted(number, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(number, range(11, 1, -1)) * 10 % 11 % 10
    return len(set(number)) > 1 and f"{first}{second}" == number[9:]


def resident(number: str) -> bool:
    """China: the last is by ISO 7064, Mod 11-2."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[weighted(number[:17], weights) % 11]
    return is_date(number[6:10], number[10:12], number[12:14]) and check == number[17]


def hetu(number: str) -> bool:
    """Finland: the mark is the remainder by 31."""
    digits = number[:6] + number[-4:-1]
    return is_date(number[4:6], number[2:4], number[:2]) and _HETU_MARKS[int(digits) % 31] == number[-1]


def fodselsnummer(number: str) -> bool:
    """Norway: two digits by eleven; 40 is added to the day of a D number."""
    first = -weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    day = f"{int(number[:2]) % 40:02}"
    return is_date(number[4:6], number[2:4], day) and f"{first}{second}" == number[9:]


def ahv(number: str) -> bool:
    """Switzerland: an EAN-13."""
    return weighted(number, (1, 3) * 6 + (1,)) % 10 == 0


def rrn(number: str) -> bool:
    """Korea: a date, and a digit for sex and century; numbers given since 2020 have no check digit."""
    return is_date(number[:2], number[2:4], number[4:6]) and number[6] in "12345678"


def tckn(number: str) -> bool:
    """Turkey: the tenth from odd and even places, the eleventh from the sum."""
    digits = [int(digit) for digit in number]
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return digits[9] == tenth and digits[10] == sum(digits[:10]) % 10


def cnp(number: str) -> bool:
    """Romania: a date, and a digit by eleven of which ten counts as one."""
    check = weighted(number[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return is_date(number[1:3], number[3:5], number[5:7]) and (1 if check == 10 else check) == int(number[12])


def rijksregister(number: str) -> bool:
    """Belgium: 97 less the remainder by 97, with a 2 before it for those born since 2000."""
    checks = {97 - int(prefix + number[:9]) % 97 for prefix in ("", "2")}
    return int(number[2:4]) <= 12 and int(number[4:6]) <= 31 and int(number[9:]) in checks


def isikukood(number: str) -> bool:
    """Estonia and Lithuania: by eleven, with other weights where that leaves ten."""
    check = weighted(number[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(number[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return is_date(number[1:3], number[3:5], number[5:7]) and check == int(number[10])


def rut(number: str) -> bool:
    """Chile: by eleven, K standing for ten."""
    total = weighted(number[-2::-1], (2, 3, 4, 5, 6, 7, 2, 3))
    return "0123456789K0"[11 - total % 11] == number[-1]


def curp(number: str) -> bool:
    """Mexico: each mark by its place, from 18 down."""
    total = sum(_CURP_MARKS.index(char) * (18 - place) for place, char in enumerate(number[:17]))
    return is_date(number[4:6], number[6:8], number[8:10]) and str(-total % 10) == number[17]


def rodne_cislo(number: str) -> bool:
    """Czechia and Slovakia: divisible by eleven; 50 is added to a woman's month, 20 where numbers ran out."""
    return is_date(number[:2], f"{int(number[2:4]) % 50 % 20:02}", number[4:6]) and int(number) % 11 == 0


def cpr(number: str) -> bool:
    """Denmark: a date; numbers given since 2007 have no check digit."""
    return is_date(number[4:6], number[2:4], number[:2])


def amka(number: str) -> bool:
    """Greece: a date, and Luhn."""
    return is_date(number[4:6], number[2:4], number[:2]) and luhn(number)


def nif(number: str) -> bool:
    """Portugal: by eleven."""
    return number[0] in "12356789" and -weighted(number, range(9, 1, -1)) % 11 % 10 == int(number[8])


def inn(number: str) -> bool:
    """Russia: two digits by eleven."""
    first = weighted(number, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    second = weighted(number, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    return f"{first}{second}" == number[10:]


def egn(number: str) -> bool:
    """Bulgaria: the century is in the month."""
    month = f"{int(number[2:4]) % 20:02}"
    return is_date(number[:2], month, number[4:6]) and weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(
        number[9]
    )


def any_number(number: str) -> bool:
    """Tell that there is nothing to check."""
    return bool(number)
