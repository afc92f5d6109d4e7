"""The policy of a plan that was chosen, as a file that says on what, why, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from gateway.tuning.cascade import CALL, PLAN
from gateway.tuning.setting import flow
from routers.cascades.settings import PLANS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from gateway.tuning.cascade import Cascading, Level

#: How long a line of comment gets.
WIDTH: Final = 118


def state_of(out: Path) -> Path:
    """Return the folder of the learned state: beside the policy's file."""
    return out.with_suffix(".state")


def policy_text(name: str, found: Cascading, out: Path, now: datetime) -> str:
    """Return the text of the policy's YAML file, named `name`."""
    family = found.choice.setting.family
    what = "a single call" if family == "single" else family.replace("_", " ")
    body: dict[str, Any] = {
        "name": name,
        "description": f"{what}, as chosen on {found.ground.table.path.name}",
        "pool": list(found.pool),
        "state": state_of(out).name,
        "router": dict(found.specification),
    }
    head = [f"# {_printable(line)}".rstrip() for line in _story(found, now)]
    written = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=WIDTH)
    return "\n".join(head) + "\n" + written


def document(found: Cascading) -> dict[str, Any]:
    """Return all that is known of a choice, for `json.dumps`."""
    choice = found.choice
    return {
        "table": {"path": str(found.ground.table.path), "sha256": found.ground.sha256, "fold": found.ground.fold},
        "n": found.ground.outcomes.n,
        "gate": {"specification": dict(found.gate), "error": found.gated.error, "cost_share": found.ground.check_share},
        "chosen": {"family": choice.setting.family, "price": choice.price, "reason": choice.reason},
        "advantage": {"value": choice.advantage, "error": choice.error},
        "levels": _numbers(found.levels),
        "seen": None if found.seen is None else _numbers(found.seen),
        "router": dict(found.specification),
        "pool": list(found.pool),
    }


def sentences(found: Cascading) -> Iterator[str]:
    """Yield what was chosen, and why."""
    choice, gate = found.choice, found.gated
    yield (
        f"The gate errs in {gate.error:.0%} of the cases (the mean of bad answers let through and good ones kept back) "
        f"and costs {found.ground.check_share:.2g} of what the answer costs."
    )
    yield (
        f"At {choice.price:.4g} for a USD, the best plan of several calls gains {choice.advantage:+.4f} "
        f"(standard error {choice.error:.4f}) over the best single call, on rows that neither was chosen on."
    )
    if choice.setting.family not in PLANS:
        yield f"So a single call is taken: {choice.reason}."
    elif choice.reason:
        yield f"A {choice.setting.family} is taken because it was insisted on; against it speaks that {choice.reason}."
    else:
        yield f"So a {choice.setting.family} is taken."


def _story(found: Cascading, now: datetime) -> Iterator[str]:
    ground = found.ground
    yield f"Chosen by `pointsman tune --plan cascade` on {now:%Y-%m-%d}, on the fold {ground.fold!r} alone."
    rows, models = ground.outcomes.n, len(ground.outcomes.models)
    yield f"Table {ground.table.path.name}: {rows} rows of that fold, {models} models;"
    yield f"sha256 {ground.sha256}."
    yield f"Gate: {flow(dict(found.gate))}."
    yield ""
    yield from sentences(found)
    yield ""
    yield "Mean reward, and USD for 1000 requests, on rows that the router had not learned from. The choice was made by"
    yield "these numbers, so that they are somewhat better than what is to come:"
    yield from _lines(found.levels)
    if found.seen is not None:
        yield ""
        yield "The same on a fold that was looked at once, when all was chosen:"
        yield from _lines(found.seen)


def _lines(levels: Mapping[str, Level]) -> Iterator[str]:
    for name, level in levels.items():
        said = name if name in {CALL, PLAN} else f"always {name}"
        yield f"  {said}: {level.quality:.4f} at {1000 * level.cost_usd:.4g}"


def _numbers(levels: Mapping[str, Level]) -> dict[str, dict[str, float]]:
    return {name: {"quality": level.quality, "cost_usd": level.cost_usd} for name, level in levels.items()}


def _printable(line: str) -> str:
    """Return a line that stays one: a name may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)
