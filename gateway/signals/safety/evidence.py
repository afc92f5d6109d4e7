"""From windows to a text: what a text's views say together."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.safety import rules, spelling
from gateway.signals.safety.features import buckets, windows, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.signals.safety.weights import Weights

#: Characters that are read: of the beginning and of the end. What is between them is not.
HEAD, TAIL = 12_000, 4_000
#: Digits are read as letters where the share of words that nobody saw falls by so much.
CLEARER = 0.1
#: From this share of unseen words on, a text may be enciphered: it is also read turned round and by ROT13, which is
#: believed where the share falls to a third.
STRANGE = 0.2
#: Logits beyond this say no more.
SURE = 10.0
#: What is known beside the rules: highest and mean logit of the windows, a harmful dialogue, a hidden piece.
BESIDE = ("highest", "mean", "many_shot", "obfuscated")
EVIDENCE = (*BESIDE, *(rule.name for rule in rules.RULES))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found in a text: `values` by `EVIDENCE`, a logit of a harmful request, and the share of unseen words."""

    values: NDArray[np.float32]
    harmful: float
    unseen: float
    truncated: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the rules that hold."""
        return tuple(
            name for name, value in zip(EVIDENCE, self.values, strict=True) if value > 0 and name not in BESIDE[:2]
        )


def gathered(text: str, weights: Weights) -> Evidence:
    """Return what is found in a text: as it stands, respelled, and in what it has encoded."""
    shown = text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"
    main = spelling.plain(shown)
    strangeness = unseen_share(main, weights)
    others = [spelling.plain(piece) for piece in spelling.decoded(shown)] + _deciphered(main, strangeness, weights)
    respelled = _respelled(main, strangeness, weights)
    # Letters set apart look like an attack in themselves, whatever they say: what they spell is read in their place.
    logits = window_logits(main if respelled is None else respelled, weights)
    hidden = [window_logits(view, weights) for view in others]
    views = "\n".join([main, *([respelled] if respelled is not None else ()), *others])
    return Evidence(_values(logits, hidden, views), float(logits[1].max()), strangeness, len(text) > HEAD + TAIL)


def window_logits(text: str, weights: Weights) -> NDArray[np.float32]:
    """Return the logits of a plain text's windows `[2, n]`: of an attack, and of a harmful request."""
    found = [buckets(text[start:end]) for start, end in windows(len(text))]
    sums = [weights.windows[:, part].sum(1, dtype=np.float32) / np.sqrt(max(len(part), 1)) for part in found]
    return np.asarray(np.stack(sums, axis=1) + weights.window_intercepts[:, None])


def unseen_share(text: str, weights: Weights) -> float:
    """Return the share of a plain text's words that were not seen; 0 where it has none."""
    found = words(text)
    if not len(found):
        return 0.0
    return 1 - float(np.mean(weights.known[found >> 3] >> (found & 7).astype(np.uint8) & 1))


def _values(logits: NDArray[np.float32], hidden: list[NDArray[np.float32]], views: str) -> NDArray[np.float32]:
    # What is asked in disguise is an attack where it is one in itself, or is harmful.
    disguised = max((float(part.max()) for part in hidden), default=-SURE)
    many = rules.dialogue_turns(views) >= rules.MANY_TURNS and logits[1].max() > 0
    fired = rules.fired(views)
    beside = [max(float(logits[0].max()), disguised), float(logits[0].mean()), float(many), float(disguised > 0)]
    values = [*beside, *(float(rule.name in fired) for rule in rules.RULES)]
    return np.clip(np.array(values, np.float32), -SURE, SURE)


def _respelled(text: str, strangeness: float, weights: Weights) -> str | None:
    view = spelling.joined(text)
    letters = spelling.unleeted(view)
    if letters != view and unseen_share(letters, weights) <= strangeness - CLEARER:
        view = letters
    return view if view != text else None


def _deciphered(text: str, strangeness: float, weights: Weights) -> list[str]:
    if strangeness < STRANGE or not re.search(r"[a-z]{3}", text):
        return []
    ciphers = (codecs.encode(text, "rot13"), text[::-1])
    return [view for view in ciphers if unseen_share(view, weights) <= strangeness / 3]
