"""A promotion for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def lines(promotion: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that describe a promotion."""
    share = f", {promotion['share']:.0%} of the requests" if promotion["share"] else ""
    yield f"{promotion['policy']}: {promotion['version']} is {promotion['state']}{share}"
    stages = [f"{one['state']} {one['share']:.0%}" if one["share"] else one["state"] for one in promotion["stages"]]
    yield f"  stages: {', '.join(stages)}"
    if "tests" not in promotion:
        return
    yield f"  requests: {promotion['requests']} of {promotion['within']}"
    yield f"  decided by the candidate in this stage: {promotion['decided']}, at least {promotion['min_requests']}"
    for name, test in promotion["tests"].items():
        yield f"  {name}: {_numbers(test)}"


def _numbers(test: dict[str, Any]) -> str:
    """Return what is known of a measure, in one line."""
    said = f"{_value(test['candidate'])} ({test['n_candidate']}) for {_value(test['live'])} ({test['n_live']})"
    if test["difference"] is not None:
        least, most = (_change(end, relative=test["relative"]) for end in test["interval"])
        change = _change(test["difference"], relative=test["relative"])
        said += f", {change}, certainly between {least} and {most}"
    said += f"; margin {_change(test['margin'], relative=test['relative'])}"
    if test["crossed"]:
        return f"{said}; worse"
    left = test["requests_left"]
    return f"{said}; a regression would be found within {left} more" if left else said


def _value(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _change(value: float | None, *, relative: bool) -> str:
    if value is None:
        return "anything"
    return f"{value:+.1%}" if relative else f"{value * 100:+.2f} points"
