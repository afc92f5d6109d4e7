"""How much of what is counted may be one caller's word, by all that is said of a model, in whatever order it came.

The weight of a caller who says more than he may is scaled down, for all that he said: so what is counted depends on
what is in the log alone. Feedback that is deleted leaves nothing behind, and replicas that know the same count alike.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.learning.trust import NOBODY, STEPS, TRUSTED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gateway.learning.rewards import Voice
    from gateway.learning.trust import TrustRules

#: What is said of each model: the steps of weight that each caller's words have, by the caller's mark.
Masses = dict[str, dict[str, int]]
#: By how many notches a caller's words about a model are turned down.
Caps = dict[tuple[str, str], int]

#: Notches that halve a weight. They are coarse: at each, all that a caller said is counted anew.
NOTCHES: Final = 8


def mark_of(caller: str) -> str:
    """Return what tells a caller from others without naming him; empty for those whose words have no cap."""
    if caller == NOBODY or caller.startswith(TRUSTED):
        return ""
    return hashlib.sha256(caller.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def weighed(voices: Sequence[Voice]) -> dict[str, int]:
    """Return the steps of weight that each caller's word on one answer has."""
    found: dict[str, int] = {}
    for voice in voices:
        mark = mark_of(voice.caller)
        found[mark] = found.get(mark, 0) + math.ceil(voice.weight * STEPS)
    return found


def moved(masses: Mapping[str, Mapping[str, int]], other: Mapping[str, Mapping[str, int]], sign: int = 1) -> Masses:
    """Return masses with others added to them, or taken away."""
    found = {model: dict(callers) for model, callers in masses.items()}
    for model, callers in other.items():
        mine = found.setdefault(model, {})
        for mark, steps in callers.items():
            mine[mark] = mine.get(mark, 0) + sign * steps
    return {model: kept for model, mine in found.items() if (kept := {mark: n for mark, n in mine.items() if n})}


def caps_of(masses: Mapping[str, Mapping[str, int]], rules: TrustRules) -> Caps:
    """Return who is turned down, and by how much: without those who are not."""
    if rules.share >= 1:
        return {}
    found: Caps = {}
    for model, callers in masses.items():
        level = _level([steps for mark, steps in callers.items() if mark], callers.get("", 0), rules)
        for mark, steps in callers.items():
            if mark and steps > level:
                found[model, mark] = math.ceil(NOTCHES * math.log2(steps / level)) if level >= 1 else _SILENT
    return found


def turned_down(voices: Sequence[Voice], model: str, caps: Mapping[tuple[str, str], int]) -> list[Voice]:
    """Return what is said of an answer of a model, each word with what weight it has left."""
    notches = (caps.get((model, mark_of(voice.caller)), 0) for voice in voices)
    weaker = (
        replace(voice, weight=voice.weight * 2.0 ** (-n / NOTCHES)) for voice, n in zip(voices, notches, strict=True)
    )
    return [voice for voice in weaker if voice.weight > 0]


#: Notches beyond which nothing is left of a weight.
_SILENT: Final = 10_000


def _level(masses: Collection[int], free: int, rules: TrustRules) -> float:
    """Return the most that any caller's words may weigh in all.

    It is the least level that is not below `share` of all that counts at it, nor below the allowance. `free` is what
    has no cap. Others who are turned down may count a notch less than they might: the share is reckoned by the least.
    """
    level, share = rules.allowance * STEPS, rules.share * 2 ** (-1 / NOTCHES)
    while above := [steps for steps in masses if steps > level]:
        below = free + sum(steps for steps in masses if steps <= level)
        left = 1 - share * len(above)
        needed = share * below / left if left > 0 else math.inf
        if needed <= level:
            return level
        if needed <= min(above):
            return needed
        level = float(min(above))
    return level
