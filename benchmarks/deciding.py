"""Measure what a decision takes: processor time for each, beside a matrix-vector product of the size of the table.

    OMP_NUM_THREADS=1 python benchmarks/deciding.py [--rows 10000] [--models 2] [--only knn,random]

Each router learns the same made-up table of prompts, embedded by `static`, and then decides on prompts that it has not
seen: the plan is begun as the gateway begins it, up to its first call, for one request and, where that is sooner, for
16 that came in the same turn of the event loop (for each of them). `embed` is what `static` takes for such a prompt
(1 KB). Of several rounds the fastest counts; ratios are to the product `matrix @ vector` of rows x 256 single-precision
numbers, measured in the same round, so that they may be compared between machines.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.exploration.choosing import Allowance, begin
from gateway.gathering import gregarious
from gateway.signals import minilm
from gateway.signals.static_encoder import StaticEncoder
from routers.registry import build_router
from routers.types import Candidate, Context, Outcomes, Price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from routers.types import Router, Sociable

ROUTERS: Mapping[str, Mapping[str, Any]] = {
    "a model by its name": {"type": "fixed", "model": "m0"},
    "random": {"type": "random"},
    "knn": {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy"}},
    "linear": {"type": "estimating", "estimator": {"type": "ridge"}, "rule": {"type": "greedy"}},
    "recommended": {"type": "recommended"},
}
#: Prompts of another subject share few words with those of this one, as prompts do.
SUBJECTS, WORDS_EACH = 40, 60
ASKED, SECONDS, CHARACTERS = 64, 0.2, 1024
#: Requests that come in the same turn of the event loop.
TOGETHER = 16


def prompts(count: int, draw: random.Random, words: Sequence[str]) -> list[str]:
    """Return made-up prompts, no two alike: each takes most of its words from one of some subjects."""
    subjects = [draw.sample(words, WORDS_EACH) for _ in range(SUBJECTS)]
    found = []
    for _ in range(count):
        own, length = draw.choice(subjects), draw.randint(8, 80)
        found.append(" ".join(draw.choice(own if draw.random() < 0.8 else words) for _ in range(length)))
    return found


def table(embeddings: np.ndarray, models: int, rng: np.random.Generator) -> Outcomes:
    """Return outcomes of models that are good in some directions each."""
    shape = (len(embeddings), models)
    skill = embeddings @ rng.standard_normal((embeddings.shape[1], models)).astype(np.float32)
    rewards = (skill + 0.3 * rng.standard_normal(shape) > 0).astype(np.float32)
    costs = rng.uniform(1e-4, 1e-2, shape).astype(np.float32)
    tokens = rng.integers(20, 800, shape).astype(np.float32)
    return Outcomes(tuple(f"m{n}" for n in range(models)), embeddings, rewards, costs, tokens)


def microseconds(work: Callable[[], object]) -> float:
    """Return the processor time that some work takes each time."""
    times, started = 0, time.process_time()
    while (taken := time.process_time() - started) < SECONDS:
        work()
        times += 1
    return taken / times * 1e6


def deciding(router: Router, contexts: Sequence[Context], pool: Sequence[Candidate]) -> Callable[[], object]:
    """Return what begins a plan for one request after another."""
    requests, rng = itertools.cycle(contexts), random.SystemRandom()
    return lambda: begin(router, Allowance(), (next(requests), pool), rng)


def deciding_together(router: Sociable, contexts: Sequence[Context], pool: Sequence[Candidate]) -> Callable[[], object]:
    """Return what begins a plan for one request after another, of which some are estimated together."""

    def ready() -> Iterator[tuple[Router, Context]]:
        for start in itertools.cycle(range(0, len(contexts), TOGETHER)):
            some = contexts[start : start + TOGETHER]
            view = router.sharing(router.expecting(some, pool))
            yield from ((view, context) for context in some)

    requests, rng = ready(), random.SystemRandom()

    def decide() -> None:
        view, context = next(requests)
        begin(view, Allowance(), (context, pool), rng)

    return decide


def main() -> None:
    """Print a row for each router."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--models", type=int, default=2)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--only", help="routers, separated by commas", default=",".join(ROUTERS))
    given = options.parse_args()
    # As the gateway does: several threads wait for each other longer than one works.
    threadpool_limits(limits=1, user_api="blas")
    draw, rng, encoder = random.Random(0), np.random.default_rng(0), StaticEncoder()  # noqa: S311 - the same each time
    tokens = Tokenizer.from_file(str(Path(minilm.__path__[0]) / "tokenizer.json")).get_vocab()
    words = sorted(word for word in tokens if word.isascii() and word.isalpha() and len(word) > 2)
    texts = prompts(given.rows + ASKED, draw, words)
    embeddings = encoder.encode(texts)
    learned = table(embeddings[: given.rows], given.models, rng)
    pool = [Candidate(model, Price(Decimal(n + 1), Decimal(4 * n + 1))) for n, model in enumerate(learned.models)]
    contexts = [Context(text, 250, vector) for text, vector in zip(texts, embeddings, strict=True)][given.rows :]
    long = itertools.cycle([(text * (CHARACTERS // len(text) + 1))[:CHARACTERS] for text in texts[given.rows :]])
    matrix, vectors = learned.embeddings, itertools.cycle(embeddings[given.rows :])
    works: dict[str, Callable[[], object]] = {
        "matrix @ vector": lambda: matrix @ next(vectors),
        "embed": lambda: encoder.encode([next(long)]),
    }
    for name in given.only.split(","):
        router = build_router(ROUTERS[name])
        router.learn(learned)
        works[name] = deciding(router, contexts, pool[:1] if "name" in name else pool)
        if gregarious(router):
            works[f"{name}, {TOGETHER} together"] = deciding_together(router, contexts, pool)
    rounds = [{name: microseconds(work) for name, work in works.items()} for _ in range(given.rounds)]
    print(f"| {given.rows} rows, {given.models} models | us | of matrix @ vector |\n| --- | ---: | ---: |")
    for name in works:
        ratio = median(one[name] / one["matrix @ vector"] for one in rounds)
        print(f"| {name} | {min(one[name] for one in rounds):.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
