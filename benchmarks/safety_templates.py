"""Texts made here for the safety classifier: harmless look-alikes of attacks, and attacks made of parts.

The words are our own. Slots are filled by a seeded draw, so that the same texts come out each time.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

TEMPLATES = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))


def filled(template: str, rng: Random) -> str:
    """Return a template with its slots drawn."""
    slots = {slot: rng.choice(values) for slot, values in TEMPLATES["slots"].items()}
    note = f"{slots['subject']} for {slots['person']}"
    return template.format(**slots, encoded=base64.b64encode(note.encode()).decode())


def harmless(count: int, rng: Random) -> list[str]:
    """Return `count` harmless texts that look like attacks, or are in other languages."""
    subjects = TEMPLATES["slots"]["subject"]
    drawn = [rng.choice(TEMPLATES["foreign"]).format(x=rng.choice(subjects)) for _ in range(count // 6)]
    drawn += [_errand(rng) for _ in range(count // 4)]
    drawn += [filled(rng.choice(TEMPLATES["harmless"]), rng) for _ in range(count - len(drawn))]
    # Several in one, so that a long text made of short ones is no sign of an attack.
    return drawn + ["\n".join(rng.sample(drawn, rng.randint(2, 8))) for _ in range(count // 10)]


def _errand(rng: Random) -> str:
    slots = {slot: rng.choice(values) for slot, values in TEMPLATES["errand_slots"].items()}
    text = rng.choice(TEMPLATES["errands"]).format(**slots)
    opening = rng.choice(("", "", "please ", "can you ", "hey, ", "i want you to "))
    return f"{opening}{text}{rng.choice(('', '.', '?', '!'))}"


def asked(document: str, question: str, rng: Random) -> str:
    """Return a document with what is to be done about it."""
    return rng.choice(TEMPLATES["tasks"]).replace("{question}", question).replace("{document}", document)


def wrapped(goal: str, rng: Random) -> str:
    """Return a goal in a jailbreak's wrapping."""
    name = rng.choice(TEMPLATES["slots"]["name"])
    return rng.choice(TEMPLATES["wrappers"]).replace("{goal}", goal).replace("{name}", name)


def role(rng: Random, goal: str | None = None) -> str:
    """Return a role at length: one that is free of all rules and has a goal, or a harmless one."""
    slots = {slot: rng.choice(values) for slot, values in TEMPLATES["slots"].items()}
    body = rng.sample(TEMPLATES["role_form"], rng.randint(0 if goal is not None else 2, 5))
    if goal is not None:
        body += rng.sample(TEMPLATES["role_freedom"], rng.randint(1, 5))
    rng.shuffle(body)
    text = " ".join([rng.choice(TEMPLATES["role_openings"]), *body])
    return f"{text.format(**slots, stands=rng.choice(TEMPLATES['role_stands']))} {goal or ''}".strip()


def hidden(rng: Random) -> str:
    """Return an instruction as it is hidden in a document."""
    return rng.choice(TEMPLATES["hidden"]).format(action=rng.choice(TEMPLATES["actions"]))


def inserted(document: str, attack: str, rng: Random) -> str:
    """Return a document with an attack between two of its sentences."""
    sentences = document.split(". ")
    place = rng.randint(0, len(sentences))
    return ". ".join([*sentences[:place], attack, *sentences[place:]])


def suffixed(goal: str, vocabulary: Sequence[str], rng: Random) -> str:
    """Return a goal with an optimised-looking suffix: 20 to 40 unrelated pieces (Zou et al. 2023, arXiv:2307.15043)."""
    pieces = [rng.choice(vocabulary) for _ in range(rng.randint(20, 40))]
    return f"{goal} {''.join(piece + rng.choice(('', ' ', ' ')) for piece in pieces)}"
