"""Measure plans of several calls against single models: a real gateway, local models, and probes held out.

    pointsman profile --gate logprob --out table.parquet
    python benchmarks/plans.py table.parquet --out plans.jsonl [--fold dev] [--only NAME ...] [--concurrency 2]

Cascades are chosen on the table's training fold alone by `pointsman tune --plan cascade`, with and without `--insist`;
a gateway then serves them, each model alone, self-consistency of the best single model, and a panel: all models at
once, of whose answers the fitted gate takes the likeliest. It is asked every probe of the fold, at temperature 0 as
`profile` asks. Accuracy is the probes' own graders', cost what the gateway charges for all calls of a request.
Differences are to the best single model of the training fold, paired by probe, with a bootstrap interval of 95 %
(10,000 resamples of the probes).

Answers are kept in `--out`: a run that was interrupted goes on where it stopped, in an order of the probes that is
drawn once; the report is of the probes that all policies have answered, and is printed again where nothing is left to
ask. About 20 minutes on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from subprocess import run
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np
import yaml
from servers import await_answer, cores, free_port, running

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.profiling.ask import request_body
from gateway.profiling.graders import grade
from gateway.profiling.probes import fold_of, load_probes
from gateway.tables.read import read_table
from providers.vendors import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.profiling.probes import Probe
    from gateway.tables.table import Table

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = [sys.executable, "-m", "gateway"]
RESAMPLES = 10_000
#: What is chosen on the training fold: a name, and how `tune` is asked.
TUNED: dict[str, list[str]] = {
    "tuned": [],
    "cascade": ["--insist"],
    "cascade, by task": ["--insist", "--router", "task"],
}
#: The panel's: by cross-validation on the training fold, `task` is ahead of `knn` and `ridge`.
ROUTER = {
    "type": "estimating",
    "estimator": {"type": "task"},
    "costs": {"type": "regression"},
    "rule": {"type": "greedy", "floor": 0},
}
GATE = {"type": "combined", "gates": [{"type": "expected"}, {"type": "logprob"}]}


@dataclass(frozen=True)
class Asked:
    """An answer of a policy to a probe: its score, what all its calls cost, how many they were, and who served."""

    policy: str
    prompt_id: str
    score: float
    cost_usd: float
    calls: int
    served: str
    seconds: float


def file_of(name: str) -> str:
    """Return a policy's name as clients call it."""
    return name.replace(", ", "-").replace(" ", "-")


def best_single(table: Table) -> str:
    """Return the model of the highest mean score in the training fold."""
    scores = table.scores[table.rows("train")]
    return table.models[int(np.nanmean(scores, axis=0).argmax())]


def write_config(folder: Path, table: Table, config: Path) -> None:
    """Choose the cascades, write the other plans, and fit what is to be fitted."""
    for name, options in TUNED.items():
        out = folder / f"{file_of(name)}.yaml"
        command = ["tune", str(table.path), "--plan", "cascade", "--gate", "logprob", "--out", str(out), *options]
        run([*PROGRAM, *command, "--engine", "serial"], cwd=ROOT, check=True)
    single = {"type": "fixed", "model": best_single(table)}
    policies = {
        "self-consistency": {"type": "self_consistency", "samples": 5, "batch": 2, "share": 0.75, "router": single},
        "panel": {"type": "best_of", "size": len(table.models), "gate": GATE, "router": ROUTER},
    }
    for name, router in policies.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, "router": router}))
    written: dict[str, Any] = yaml.safe_load(config.read_text())
    files = [f"{file_of(name)}.yaml" for name in (*TUNED, *policies)]
    written |= {"policies": files, "store": {"path": "plans.db"}, "server": {"host": "127.0.0.1", "port": free_port()}}
    (folder / "gateway.yaml").write_text(yaml.safe_dump(written))
    command = ["train", str(table.path), "--policy", "panel", "--config", str(folder / "gateway.yaml")]
    run([*PROGRAM, *command], cwd=ROOT, check=True)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the configuration of a folder; yield the address."""
    port = yaml.safe_load((folder / "gateway.yaml").read_text())["server"]["port"]
    command = [*PROGRAM, "serve", "--config", str(folder / "gateway.yaml"), "--log-level", "warning"]
    with running(command, cores().load, folder / "gateway.log", ROOT) as server:
        hello = {"model": "panel", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
        await_answer(server, port, json.dumps(hello).encode(), {})
        yield f"http://127.0.0.1:{port}"


async def ask(client: httpx2.AsyncClient, policy: str, probe: Probe) -> Asked:
    """Put a probe to a policy, and grade the answer; what is not answered scores nothing."""
    body = request_body(probe, LOCAL) | {"model": file_of(policy)}
    response = await client.post("/v1/chat/completions", json=body)
    headers = response.headers
    text = response.json()["choices"][0]["message"]["content"] if response.status_code == 200 else ""
    return Asked(
        policy=policy,
        prompt_id=probe.prompt_id,
        score=await asyncio.to_thread(grade, probe, text or ""),
        cost_usd=float(headers.get("x-pointsman-cost-usd", "nan")),
        calls=int(headers.get("x-pointsman-calls", 1)),
        served=headers.get("x-pointsman-model", ""),
        seconds=response.elapsed.total_seconds(),
    )


async def ask_all(address: str, cells: Sequence[tuple[str, Probe]], out: Path, concurrency: int) -> None:
    """Ask every cell, a few at once, and keep each answer as it comes."""
    waiting = iter(cells)
    async with httpx2.AsyncClient(base_url=address, timeout=900) as client:
        with out.open("a") as file:

            async def work() -> None:
                for policy, probe in waiting:
                    file.write(json.dumps(asdict(await ask(client, policy, probe))) + "\n")
                    file.flush()

            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(work())


def read_answers(out: Path) -> dict[tuple[str, str], Asked]:
    """Return what was asked so far."""
    lines = out.read_text().splitlines() if out.exists() else []
    answers = [Asked(**json.loads(line)) for line in lines]
    return {(one.policy, one.prompt_id): one for one in answers}


def interval(values: np.ndarray) -> str:
    """Return a 95 % interval."""
    low, high = np.quantile(values, [0.025, 0.975])
    return f"[{low:+.3f}, {high:+.3f}]"


def report(answers: dict[tuple[str, str], Asked], policies: Sequence[str], asked: Sequence[Probe], single: str) -> None:
    """Print what came of it, each policy held against the best single model."""
    probes = [one for one in asked if all((policy, one.prompt_id) in answers for policy in policies)]
    n = len(probes)
    table = {
        policy: np.array(
            [(a.score, a.cost_usd, a.calls) for probe in probes for a in [answers[policy, probe.prompt_id]]]
        )
        for policy in policies
    }
    weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), RESAMPLES) / n
    base = table[single]
    print(f"{n} of {len(asked)} probes; differences to {single}\n")
    print("| policy | accuracy | difference | USD for 1000 | of its cost | calls |\n|---|---|---|---|---|---|")
    for policy, rows in table.items():
        score, cost, calls = rows.mean(axis=0)
        better = weights @ (rows[:, 0] - base[:, 0])
        relative = (weights @ rows[:, 1]) / (weights @ base[:, 1])
        low, high = np.quantile(relative, [0.025, 0.975])
        difference = f"{score - base[:, 0].mean():+.3f} {interval(better)}" if policy != single else "-"
        ratio = f"{cost / base[:, 1].mean():.2f} [{low:.2f}, {high:.2f}]" if policy != single else "-"
        print(f"| {policy} | {score:.3f} | {difference} | {1000 * cost:.5f} | {ratio} | {calls:.2f} |")


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "gateway.yaml")
    parser.add_argument("--fold", choices=("dev", "train", "all"), default="dev")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--concurrency", type=int, default=2)
    options = parser.parse_args()
    table = read_table(options.table)
    probes = [one for one in load_probes() if options.fold in ("all", fold_of(one))]
    Random(0).shuffle(probes)  # noqa: S311 - an order, no secret
    single, usual = best_single(table), [*table.models, *TUNED, "self-consistency", "panel"]
    policies = list(dict.fromkeys([single, *options.only])) if options.only else usual
    answers = read_answers(options.out)
    cells = [(p, one) for one in probes for p in policies if (p, one.prompt_id) not in answers]
    if cells:
        with tempfile.TemporaryDirectory() as name:
            write_config(Path(name), table, options.config)
            with serving(Path(name)) as address:
                asyncio.run(ask_all(address, cells, options.out, options.concurrency))
    report(read_answers(options.out), policies, probes, single)


if __name__ == "__main__":
    main()
