"""Turns what is written about promotion into rules, and checks that it fits together."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.config.loader import did_you_mean
from gateway.config.promotion_models import steps_of
from gateway.promotion.types import Limit, Rules, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.config.files import PolicyFile
    from gateway.config.promotion_models import PromotionConfig
    from gateway.policy import Policy

#: Characters of a version's digest, as it is shown.
SHOWN = 12


def wrong_promotions(policies: Sequence[PolicyFile]) -> Iterator[str]:
    """Yield candidates that are not there, or whose own place is to be taken."""
    by_name = {policy.config.name: policy.config for policy in policies}
    for policy in policies:
        if (promotion := policy.config.promotion) is None:
            continue
        place, name = ("promotion", "candidate"), promotion.candidate
        if name == policy.config.name:
            yield policy.document.at(place, f"{name!r} cannot take its own place: name another policy")
        elif name not in by_name:
            yield policy.document.at(place, f"no policy {name!r}; {did_you_mean(name, by_name)}")
        elif by_name[name].promotion is not None:
            yield policy.document.at(place, f"{name!r} has a candidate of its own: promote one after the other")


def with_promotions(policies: Mapping[str, Policy], files: Sequence[PolicyFile]) -> dict[str, Policy]:
    """Return the policies, each with the rules by which another one takes its place."""
    by_name = {file.config.name: file for file in files}
    found = dict(policies)
    for name, file in by_name.items():
        if (config := file.config.promotion) is not None:
            rules = rules_of(name, config, version_of(config.candidate, by_name))
            found[name] = replace(policies[name], promotion=rules)
    return found


def rules_of(policy: str, config: PromotionConfig, version: str) -> Rules:
    """Return the rules by which a policy's candidate is promoted."""
    return Rules(
        policy=policy,
        candidate=config.candidate,
        version=version,
        stages=tuple(Stage(state, share) for state, share in steps_of(config.stages)),
        limits=tuple(_limits(config)),
        min_requests=config.min_requests,
        alpha=config.alpha,
        within=config.within,
        on_end=config.on_end,
        sample=config.sample,
        sticky=config.sticky,
    )


def version_of(name: str, files: Mapping[str, PolicyFile]) -> str:
    """Return a policy's name with the digest of what is written of it, and of the policies that it leads to.

    What it has learned is no part of it: a candidate that learns while it is on trial stays the same version.
    """
    digest = hashlib.sha256(json.dumps(_written(name, files, ()), sort_keys=True, default=str).encode()).hexdigest()
    return f"{name}@{digest[:SHOWN]}"


def _written(name: str, files: Mapping[str, PolicyFile], within: tuple[str, ...]) -> list[Any]:
    if name in within or name not in files:
        return []
    file = files[name]
    others = [_written(rule.policy, files, (*within, name)) for rule in file.config.rules if rule.policy is not None]
    return [file.document.data, *others]


def _limits(config: PromotionConfig) -> Iterator[Limit]:
    tests = config.tests
    if tests.quality is not None:
        yield Limit("quality", tests.quality.worse_by, tests.quality.tolerated)
    if tests.errors is not None:
        yield Limit("errors", tests.errors.higher_by, tests.errors.tolerated)
    if tests.cost is not None:
        yield Limit("cost", tests.cost.higher_by, tests.cost.tolerated)
    if tests.latency is not None:
        yield Limit("latency", tests.latency.higher_by, tests.latency.tolerated)
