"""Rules: what is to be done about a request, given what is known of it. Pure: no I/O, no clock, no chance."""

from gateway.rules.analysis import Finding, analyse
from gateway.rules.conditions import ALWAYS, Condition
from gateway.rules.errors import ConditionError
from gateway.rules.facts import Facts
from gateway.rules.features import find_kind, parse_defaults, with_defaults
from gateway.rules.parse import parse_condition
from gateway.rules.projections import Projections, apply, parse_projections
from gateway.rules.ruleset import Judged, Match, Rule, RuleSet
from gateway.rules.verdict import Found, Verdict

__all__ = [
    "ALWAYS",
    "Condition",
    "ConditionError",
    "Facts",
    "Finding",
    "Found",
    "Judged",
    "Match",
    "Projections",
    "Rule",
    "RuleSet",
    "Verdict",
    "analyse",
    "apply",
    "find_kind",
    "parse_condition",
    "parse_defaults",
    "parse_projections",
    "with_defaults",
]
