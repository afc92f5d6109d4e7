"""All findings about a configuration, in the order of its files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.checking.clearance import clearance_findings
from gateway.checking.facts import facts_of
from gateway.checking.fallbacks import fallback_findings
from gateway.checking.plans import plan_findings
from gateway.checking.prices import price_findings, unknown_models
from gateway.checking.promotions import promotion_findings
from gateway.checking.reach import unreached_models, unreached_policies, unread_defaults
from gateway.checking.rules import analysed, rule_findings
from gateway.checking.subject import DEAD, Subject
from gateway.checking.values import unlisted_headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.checking.finding import Finding
    from gateway.config.files import Files
    from gateway.deciding import Decider


def check(files: Files, decider: Decider) -> list[Finding]:
    """Return what looks wrong, each finding once: the gateway's file first, then the policies, by line."""
    found = {str(finding): finding for finding in _found(files, decider)}.values()
    paths = [files.document.path, *(policy.document.path for policy in files.policies)]
    return sorted(found, key=lambda finding: (paths.index(finding.document.path), finding.line))


def _found(files: Files, decider: Decider) -> Iterator[Finding]:
    facts = facts_of(files, decider.signals.known.keys())
    subjects = []
    for file in files.policies:
        subject = Subject(file, decider.policies.policies[file.config.name])
        of_rules = analysed(subject, facts)
        yield from rule_findings(subject, of_rules, facts)
        subjects.append(replace(subject, dead=frozenset(one.rule for one in of_rules if one.kind in DEAD)))
    for subject in subjects:
        yield from unlisted_headers(subject, files.config)
        yield from unread_defaults(subject)
        yield from fallback_findings(subject, decider.eligibility)
        yield from promotion_findings(subject)
        yield from plan_findings(subject)
    yield from unknown_models(files, decider.policies)
    yield from unreached_models(files, subjects)
    yield from unreached_policies(subjects)
    yield from price_findings(files, decider.policies, subjects)
    yield from clearance_findings(files, subjects, decider.data_classes, decider.eligibility)
