"""Data classes and clearances that do not fit: requests that nobody may see, and models that may see none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.checking.finding import Finding
from routers.efforts import base_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.checking.subject import Subject
    from gateway.config.files import Files
    from gateway.config.loader import Place
    from gateway.data_class import DataClasses, DataClassRules
    from gateway.eligibility import Eligibility
    from gateway.route import Route


def clearance_findings(
    files: Files, subjects: Sequence[Subject], rules: DataClassRules | None, eligibility: Eligibility
) -> Iterator[Finding]:
    """Yield what does not fit; nothing where there are no data classes."""
    if rules is None:
        return
    yield from _models_that_see_nothing(files, rules, eligibility)
    for subject in subjects:
        yield from _of_policy(subject, files, rules, eligibility)


def _of_policy(subject: Subject, files: Files, rules: DataClassRules, eligibility: Eligibility) -> Iterator[Finding]:
    """Yield the classes that nobody may see on a route, once for all routes alike."""
    least = rules.classes.highest([name for name in (rules.floor, subject.policy.data_class) if name])
    alike: dict[tuple[str, ...], list[Place]] = {}
    for place, route in subject.routes():
        given = {least, *_by_configuration(files), *(() if _asks_for_pii(subject, place) else _by_content(rules))}
        closed = _closed(route, given, least, rules.classes, eligibility)
        if closed:
            alike.setdefault(closed, []).append(place)
    for closed, places in alike.items():
        what = "every request" if least in closed else f"requests of class {', '.join(closed)}"
        names = [f"rule {subject.file.config.rules[int(place[1])].name!r}" if place else "no rule" for place in places]
        yield subject.finding(
            (*places[0], "pool"),
            f"by {', '.join(names)}: none that may answer is cleared for {', '.join(closed)}; {what} will be refused",
        )


def _models_that_see_nothing(files: Files, rules: DataClassRules, eligibility: Eligibility) -> Iterator[Finding]:
    floor = rules.floor or rules.classes.lowest
    for model, ability in eligibility.abilities.items():
        if base_of(model) == model and not rules.classes.permits(ability.clearance, floor):
            cleared = ability.clearance or rules.classes.lowest
            yield Finding(
                files.document,
                ("models", model),
                f"may see no request: each is at least {floor}, and the model is cleared for {cleared}",
            )


def _by_configuration(files: Files) -> set[str]:
    """Return the classes that requests get by who calls. A header may name any."""
    return {caller.data_class for caller in files.config.callers.values() if caller.data_class is not None}


def _by_content(rules: DataClassRules) -> set[str]:
    """Return the classes that requests get by what is in them."""
    found = {*rules.by_pii.values(), rules.unread, rules.worst if rules.reads_pii else None}
    return {name for name in found if name is not None}


def _asks_for_pii(subject: Subject, place: Place) -> bool:
    """Tell whether the rule of a route asks what is in a request: then it has been thought of."""
    if not place:
        return False
    condition = next(rule.condition for n, rule in subject.rules() if n == place[1])
    return any(feature.partition(".")[0] == "pii" for feature in condition.features)


def _closed(
    route: Route, given: set[str], least: str, ladder: DataClasses, eligibility: Eligibility
) -> tuple[str, ...]:
    """Return the classes that requests may have, from the least on, and that nobody on a route may see."""
    classes = sorted(given, key=ladder.rank)
    return tuple(
        name
        for name in classes
        if ladder.rank(name) >= ladder.rank(least) and not _seen(route, name, ladder, eligibility)
    )


def _seen(route: Route, name: str, ladder: DataClasses, eligibility: Eligibility) -> bool:
    abilities = (eligibility.abilities[candidate.model] for candidate in route.pool)
    return any(ladder.permits(ability.clearance, name) for ability in abilities)
