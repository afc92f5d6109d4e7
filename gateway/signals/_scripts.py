"""Which script a letter belongs to, and which script a text is written in."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

#: First and last code point of each script's letters (The Unicode Standard, Blocks.txt), in order.
_RANGES = (
    (0x0041, 0x024F, "Latin"),
    (0x0370, 0x03FF, "Greek"),
    (0x0400, 0x052F, "Cyrillic"),
    (0x0531, 0x058F, "Armenian"),
    (0x0590, 0x05FF, "Hebrew"),
    (0x0600, 0x06FF, "Arabic"),
    (0x0750, 0x077F, "Arabic"),
    (0x0780, 0x07BF, "Thaana"),
    (0x08A0, 0x08FF, "Arabic"),
    (0x0900, 0x097F, "Devanagari"),
    (0x0980, 0x09FF, "Bengali"),
    (0x0A00, 0x0A7F, "Gurmukhi"),
    (0x0A80, 0x0AFF, "Gujarati"),
    (0x0B00, 0x0B7F, "Oriya"),
    (0x0B80, 0x0BFF, "Tamil"),
    (0x0C00, 0x0C7F, "Telugu"),
    (0x0C80, 0x0CFF, "Kannada"),
    (0x0D00, 0x0D7F, "Malayalam"),
    (0x0D80, 0x0DFF, "Sinhala"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Lao"),
    (0x0F00, 0x0FFF, "Tibetan"),
    (0x1000, 0x109F, "Myanmar"),
    (0x10A0, 0x10FF, "Georgian"),
    (0x1100, 0x11FF, "Hangul"),
    (0x1200, 0x139F, "Ethiopic"),
    (0x1780, 0x17FF, "Khmer"),
    (0x1C90, 0x1CBF, "Georgian"),
    (0x1E00, 0x1EFF, "Latin"),
    (0x1F00, 0x1FFF, "Greek"),
    (0x3040, 0x30FF, "Kana"),
    (0x3130, 0x318F, "Hangul"),
    (0x31F0, 0x31FF, "Kana"),
    (0x3400, 0x9FFF, "Han"),
    (0xAC00, 0xD7AF, "Hangul"),
    (0xF900, 0xFAFF, "Han"),
    (0xFB50, 0xFEFF, "Arabic"),
    (0x20000, 0x3FFFF, "Han"),
)
_STARTS = [start for start, _, _ in _RANGES]
#: What a letter counts for, beside a Latin one: a syllable or a word is written with fewer. Other scripts count
#: somewhat more as well, because names and technical terms are written in Latin letters in all of them.
_WEIGHTS = {"Latin": 1.0, "Kana": 3.0, "Hangul": 3.0, "Han": 4.0}
_WEIGHT = 1.5
#: From this share of kana on, what is written in Han characters is Japanese as well.
_JAPANESE_SHARE = 0.08
#: Letters below which a text tells nothing: formulas and answers such as "ok" have fewer. Elsewhere one will do.
_FEWEST = {"Latin": 3, "Greek": 3, "Cyrillic": 3}


def main_script(text: str) -> tuple[str, float] | None:
    """Return the script that most of a text is written in, and its share in (0, 1]; None where there are no letters.

    Han characters with kana among them are of the script `Kana`. A letter of an unknown script is of `Other`.
    """
    counts: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if character.isalpha():
            counts[_script(ord(character))] += count
    _join_japanese(counts)
    weighted = {
        script: count * _WEIGHTS.get(script, _WEIGHT)
        for script, count in counts.items()
        if count >= _FEWEST.get(script, 1)
    }
    if not weighted:
        return None
    script = max(weighted, key=weighted.__getitem__)
    return script, weighted[script] / sum(weighted.values())


def _script(code: int) -> str:
    start, end, script = _RANGES[max(bisect_right(_STARTS, code) - 1, 0)]
    return script if start <= code <= end else "Other"


def _join_japanese(counts: Counter[str]) -> None:
    if counts["Kana"] and counts["Kana"] >= _JAPANESE_SHARE * (counts["Kana"] + counts["Han"]):
        counts["Kana"] += counts.pop("Han", 0)
