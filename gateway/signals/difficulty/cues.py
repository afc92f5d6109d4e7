"""The words that tell of a request's structure: conditions, quantities, steps. None of them names a topic."""

from __future__ import annotations

#: Groups of words in the order of their features. English; a text in another language has none of them.
CUES = {
    "condition": "if unless when whenever except but however although though where which whose while given suppose "
    "assuming provided otherwise else only until because",
    "negation": "not no without neither nor never none cannot nothing don isn doesn can't avoid",
    "quantifier": "every all each any exists some most both either exactly least always several distinct different "
    "unique same other another",
    "constraint": "must should need needs exactly least most within under between limit fewer maximum minimum "
    "constraints constraint required respectively",
    "step": "then first second third next after before finally last later again until during starting",
    "relation": "than more less twice half double times per ratio percent equal remaining left total together "
    "difference sum product share rate increases decreases older younger faster",
    "proof": "prove proof show derive determine deduce justify construct verify implies satisfies hence conclude "
    "refute",
    "explain": "why explain how compare discuss argue assess evaluate analyse analyze weigh interpret reconcile",
    "recall": "who whom what when where name define meaning called capital",
    "wish": "please thanks thank hi hello hey could would kindly",
    "boast": "rigorously rigorous phd expert level difficult challenging complex advanced carefully deeply thorough "
    "easy simple simply quick quickly trivial just basic",
}

#: What each cue word counts for: the numbers of its groups.
GROUPS_OF_WORD: dict[str, tuple[int, ...]] = {
    word: tuple(index for index, words in enumerate(CUES.values()) if word in words.split())
    for word in sorted({word for words in CUES.values() for word in words.split()})
}
