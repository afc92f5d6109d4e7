"""Turns what is written about a task's budget into rules, and checks that policies for agents fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.tasks.task import TaskRules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.config.files import PolicyFile
    from gateway.config.task_models import TaskConfig

#: The router that chooses anew at every step.
AGENT = "agent"


def wrong_tasks(policies: Sequence[PolicyFile]) -> Iterator[str]:
    """Yield policies that let a router choose step by step, and keep its first choice all the same."""
    for policy in policies:
        kept = policy.config.stickiness
        sticky = [name for name, on in (("tool_loop", kept.tool_loop), ("session", kept.session)) if on]
        for router in policy.routers():
            if router.spec.get("type") == AGENT and sticky:
                problem = f"'{AGENT}' chooses at every step, and the policy keeps the first choice"
                remedy = "write stickiness: {tool_loop: false, session: false}"
                yield policy.document.at((*router.place, "type"), f"{problem} ({', '.join(sticky)}): {remedy}")


def task_rules(config: TaskConfig | None) -> TaskRules | None:
    """Return what a session may cost."""
    return None if config is None else TaskRules(**config.model_dump())
