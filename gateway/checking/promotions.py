"""Promotions whose tests can hardly decide within the requests that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.promotion.shown import budget_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.checking.finding import Finding
    from gateway.checking.subject import Subject


def promotion_findings(subject: Subject) -> Iterator[Finding]:
    """Yield a finding where a regression as large as the margin may not be found in time."""
    rules = subject.policy.promotion
    if rules is not None and (problem := budget_problem(rules)) is not None:
        yield subject.finding(("promotion", "within"), problem)
