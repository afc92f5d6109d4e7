"""Do the estimates of `pointsman replay` tell the truth? Logs are drawn from tables where the truth is known.

    PYTHONPATH=. python benchmarks/off_policy.py TABLE.parquet... [--rated 0.3] [--json out.json]

Of each outcome table, `--requests` rows are drawn with replacement and answered by a policy that draws its models;
only the answer of the model that was drawn is kept. From that log twenty other policies are estimated, fitted to the
fold `train`, and compared with what they earn and cost on the whole table. Printed are, for each estimator, the share
of the 95 % intervals that hold the truth, the error in standard deviations of what came of a request, and how often an
estimate is refused. With `--rated`, so many answers are rated, some models' more often than others', and the last tenth
of the log is too young to be.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from off_policy_policies import open_world
from off_policy_trials import Trials, run, summary

#: In the order of the table; `naive` is the mean of what was logged.
ESTIMATORS = ("naive", "direct", "ips", "snips", "dr", "switch_dr")


def main() -> None:
    """Judge every table, print a table of each, and write all numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path, nargs="+", metavar="TABLE")
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--rated", type=float, default=1.0, help="the share of answers that are rated")
    parser.add_argument("--floor", type=float, default=0.05, help="the least probability in the policy that logs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    arguments = parser.parse_args()
    found = []
    for path in arguments.tables:
        world = open_world(path, arguments.floor, os.environ)
        trials = Trials(arguments.requests, arguments.repetitions, arguments.rated, arguments.seed)
        judged = run(world, trials)
        found.append({"table": path.stem, "floor": arguments.floor, "policies": judged})
        print(f"\n{path.stem}: {len(world.targets)} policies, {trials}\n")
        for quantity in ("quality", "cost"):
            show(quantity, judged)
        refused(judged)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


def show(quantity: str, judged: list[dict[str, object]]) -> None:
    """Print how each estimator does on the policies that are not refused."""
    print(f"| {quantity} | coverage | least of a policy | relative | difference | root mean square | half width |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for estimator in ESTIMATORS:
        row = summary(judged, quantity, estimator)
        cells = [f"{row[key]:.3f}" for key in ("coverage", "least", "relative", "difference")]
        print(f"| `{estimator}` | {' | '.join(cells)} | {row['rmse']:.4f} | {row['half_width']:.4f} |")
    print()


def refused(judged: list[dict[str, object]]) -> None:
    """Print how often each policy is refused."""
    print("| policy | refused | effective | goes where nothing was logged |")
    print("| --- | --- | --- | --- |")
    for one in judged:
        effective, gone = np.median(one["effective"]), np.mean(one["unsupported"])
        print(f"| {one['policy']} | {one['refused']:.0%} | {effective:.0f} | {gone:.1%} |")


if __name__ == "__main__":
    main()
