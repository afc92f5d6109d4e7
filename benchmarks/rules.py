"""Measure what matching a thousand rules costs, beside a plain loop in the same run, and what checking them costs.

Run `python benchmarks/rules.py --help`. The worst case is measured: no rule matches but the last, which always does.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.rules import Rule, RuleSet, analyse, parse_condition
from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from routers.types import Feature

KNOWN = {
    "domain": Kind.TEXT,
    "language": Kind.TEXT,
    "text": Kind.TEXT,
    "prompt_tokens": Kind.NUMBER,
    "safety.jailbreak": Kind.NUMBER,
    "pii": Kind.TEXTS,
}
#: What is known of the request, an ordinary one of about 600 characters.
FEATURES: dict[str, Feature] = {
    "domain": "law",
    "language": "en",
    "text": "Explain to a new tenant what a break clause is, and when it is worth asking for one. " * 7,
    "prompt_tokens": 160.0,
    "safety.jailbreak": 0.02,
    "pii": (),
}


def draw_rule(rng: random.Random, form: str) -> dict[str, Any]:
    """Return a condition of two or three atoms that the request does not meet."""
    number = rng.randrange(1000)
    forms: dict[str, dict[str, Any]] = {
        # The first atom decides.
        "and": {"domain": ["code", f"d{number}"], "prompt_tokens": {"above": number}},
        # The last atom decides.
        "and, late": {"prompt_tokens": {"below": 1000 + number}, "language": "en", "domain": f"d{number}"},
        # All atoms are asked.
        "or": {"any": [{"prompt_tokens": {"above": 1000 + number}}, {"pii": ["email"]}, {"domain": f"d{number}"}]},
        "not": {"all": [{"not": {"language": ["en", f"l{number}"]}}, {"safety.jailbreak": {"above": 0.5}}]},
        # The text need not be searched.
        "regex": {"text": {"matches": rf"(?i)\bword{number}\b"}, "language": {"not_in": ["en", "de"]}},
        # The text is searched from end to end.
        "regex, searched": {"text": {"matches": rf"word{number}"}, "language": ["en", "de"]},
    }
    return forms[form]


MIXES: Mapping[str, tuple[str, ...]] = {
    "and": ("and",),
    "and, the last atom decides": ("and, late",),
    "or, all atoms asked": ("or",),
    "and, or, not, regex in turns": ("and", "and, late", "or", "not", "regex"),
    "the same, one in ten searches the text": ("and", "and, late", "or", "not", "regex") * 2 + ("regex, searched",),
    "every rule searches the text": ("regex, searched",),
}


def build(forms: tuple[str, ...], count: int) -> RuleSet[None]:
    """Return rules of some forms in turns, of which the last alone matches."""
    rng = random.Random(0)  # noqa: S311 - a benchmark wants seeded draws
    written = [draw_rule(rng, forms[n % len(forms)]) for n in range(count - 1)]
    return RuleSet([Rule(str(n), 0, parse_condition(each, KNOWN), None) for n, each in enumerate([*written, {}])])


def plain_loop(bounds: list[tuple[str, float]], features: Mapping[str, Feature]) -> str | None:
    """Ask one question of each rule, written out by hand: what nothing in Python is faster than."""
    for domain, bound in bounds:
        if features.get("domain") == domain and features["prompt_tokens"] > bound:
            return domain
    return None


def median_us(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the median and the 95th percentile of a call's time, in microseconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - started) / 1000)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--analyse", action="store_true", help="also time the static analysis, which takes seconds")
    arguments = parser.parse_args()
    bounds = [(f"d{n}", float(n)) for n in range(arguments.rules)]
    plain, _ = median_us(partial(plain_loop, bounds, FEATURES), arguments.repeats)
    print(f"{arguments.rules} rules, the last matches\n")
    print(f"{'rules':40} {'p50 us':>8} {'p95 us':>8} {'x plain':>8} {'explain us':>11}")
    print(f"{'a plain loop, one question each':40} {plain:8.0f}")
    for name, forms in MIXES.items():
        rules = build(forms, arguments.rules)
        middle, late = median_us(partial(rules.match, FEATURES), arguments.repeats)
        explained, _ = median_us(rules.match(FEATURES).verdicts, 20)
        print(f"{name:40} {middle:8.0f} {late:8.0f} {middle / plain:8.1f} {explained:11.0f}")
        if arguments.analyse:
            started = time.perf_counter()
            found = len(analyse(rules))
            print(f"{'':4}analysed in {time.perf_counter() - started:.2f} s, findings: {found}")


if __name__ == "__main__":
    main()
