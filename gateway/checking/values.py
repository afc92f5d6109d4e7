"""Values that are asked for and never come: names of lists, of classes and of callers that there are not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gateway.config.loader import did_you_mean
from gateway.rules.expressions import atoms
from gateway.rules.operators import Operator
from gateway.rules.partitions import Partition
from gateway.rules.scores import Score

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gateway.checking.finding import Finding
    from gateway.checking.subject import Subject
    from gateway.config.loader import Place
    from gateway.config.models import GatewayConfig
    from gateway.rules.conditions import Condition
    from gateway.rules.expressions import Atom
    from gateway.rules.facts import Facts

#: Operators whose operands are values that the feature may be, or may hold.
_OF_VALUES: Final = frozenset(
    {
        Operator.IN,
        Operator.NOT_IN,
        Operator.ANY_OF,
        Operator.NONE_OF,
        Operator.ALL_OF,
        Operator.NOT_ALL_OF,
    }
)
#: Where the values of a feature are configured.
_WHERE: Final[Mapping[str, str]] = {
    "keywords": "signals.keywords",
    "time.windows": "signals.time.windows",
    "domain": "signals.domain.classes",
    "domain.second": "signals.domain.classes",
    "caller": "callers",
    "role": "the roles under callers",
    "team": "the teams under callers",
    "caller.tags": "the tags under callers",
}
_LANGUAGE: Final = re.compile("[a-z]{2}")
HEADER: Final = "header."


def unknown_values(subject: Subject, facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each value in a rule or a projection that the feature asked about never has."""
    choices = facts.joined(subject.policy.projections.facts).choices
    for place, condition in _conditions(subject):
        for atom in dict.fromkeys(atoms(condition.expression)):
            for problem in _problems(atom, choices):
                yield subject.finding(_where_asked(subject, place, atom.feature), problem)


def unlisted_headers(subject: Subject, config: GatewayConfig) -> Iterator[Finding]:
    """Yield a finding for each header that is asked about and not shown to rules."""
    listed = {header.lower() for header in config.signals.metadata.headers}
    for place, features in _readers(subject):
        for feature in sorted(features):
            header = feature.removeprefix(HEADER)
            if feature.startswith(HEADER) and header not in listed:
                yield subject.finding(
                    place, f"{feature} is never known: write {header!r} under signals.metadata.headers (lower case)"
                )


def _where_asked(subject: Subject, place: Place, feature: str) -> Place:
    """Return where a condition asks about a feature, as it is written."""
    inside = (one for one in subject.file.document.lines if one[: len(place)] == place and one[-1] == feature)
    return next(inside, place)


def _conditions(subject: Subject) -> Iterator[tuple[Place, Condition]]:
    """Yield every condition with where it is written."""
    for n, rule in subject.rules():
        yield ("rules", n, "when"), rule.condition
    for projection in subject.policy.projections.ordered:
        if isinstance(projection, Partition):
            for member in projection.members:
                if not isinstance(member.measure, Score):
                    yield ("projections", projection.name, "partition", member.name, "when"), member.measure


def _readers(subject: Subject) -> Iterator[tuple[Place, Collection[str]]]:
    """Yield the features that each rule and projection reads."""
    for n, rule in subject.rules():
        yield ("rules", n, "when"), rule.condition.features
    for projection in subject.policy.projections.ordered:
        yield ("projections", projection.name), projection.features


def _problems(atom: Atom, choices: Mapping[str, Collection[str]]) -> Iterator[str]:
    if atom.operator not in _OF_VALUES:
        return
    values: Any = atom.operand
    if atom.feature == "language":
        wrong = [value for value in values if not _LANGUAGE.fullmatch(value)]
        yield from (f"language is never {value!r}: it is two small letters, as en (ISO 639-1)" for value in wrong)
    known = choices.get(atom.feature)
    if known is None:
        return
    never = "is never" if atom.operator in (Operator.IN, Operator.NOT_IN) else "never holds"
    where = _WHERE.get(atom.feature)
    for value in values:
        if value not in known:
            hint = did_you_mean(value, known) if known else f"there are none under {where}" if where else "nothing"
            yield f"{atom.feature} {never} {value!r}; {hint}"
