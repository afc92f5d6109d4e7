"""The domain classes that are built in: what each is, and examples of it to learn from."""

from __future__ import annotations

import json
from importlib.resources import files

#: The built-in classes, each in one line. A request belongs to what is asked for, not to what the text speaks of:
#: the translation of a contract is `translation`.
DESCRIPTIONS: dict[str, str] = {
    "code": "Writing, explaining, testing or repairing programs, and questions about tools of programmers.",
    "data": "SQL, spreadsheets, data frames, statistics, experiments and machine learning on tables.",
    "math": "Arithmetic, mathematics from school to research, puzzles of number and of logic.",
    "science": "Physics, chemistry, biology, astronomy and earth science.",
    "medicine": "Health, illness, drugs, anatomy and care of patients.",
    "law": "Laws, contracts, rights, courts and regulation.",
    "finance": "Money, saving, investment, accounting, taxes and markets.",
    "history": "History, philosophy and the study of past societies.",
    "factual": "A single fact of general knowledge: places, people, sport, arts, films, animals.",
    "creative": "Inventing: stories, poems, songs, jokes, names, slogans.",
    "editing": "Correcting or rewriting a text that is given, in the same language.",
    "translation": "Translating, and what a word or phrase means in another language.",
    "summarisation": "Making a text shorter: summaries, titles, minutes, main points.",
    "extraction": "Finding, labelling or classifying what a given text says, often as JSON or a table.",
    "chat": "Small talk, feelings, thanks and role play, without a task.",
    "advice": "Everyday life: cooking, travel, home, family, work, decisions and plans.",
    "business": "Work in companies: letters, marketing, management, strategy and people.",
}


def built_in() -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return the description of each class and its examples, by the class's name.

    It reads a file of the package: not for an event loop. Raises `ValueError` where the file has a class that is
    not described, or lacks one that is.
    """
    examples: dict[str, list[str]] = {domain: [] for domain in DESCRIPTIONS}
    content = (files("gateway.signals.domains") / "examples.jsonl").read_text(encoding="utf-8")
    for number, line in enumerate(content.splitlines(), 1):
        row = json.loads(line)
        if row["domain"] not in examples:
            raise ValueError(
                f"examples.jsonl, line {number}: unknown domain {row['domain']!r}; install pointsman again"
            )
        examples[row["domain"]].append(row["text"])
    if missing := [domain for domain, texts in examples.items() if not texts]:
        raise ValueError(f"examples.jsonl has no example of {missing}; install pointsman again")
    return dict(DESCRIPTIONS), {domain: tuple(texts) for domain, texts in examples.items()}
