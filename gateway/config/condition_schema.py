"""The JSON Schema of conditions, so that editors complete features and operators."""

from __future__ import annotations

from typing import Any

from gateway.rules.parse import WRITTEN
from gateway.signals.base import Kind
from gateway.signals.registry import features

#: JSON's type for a value of each kind.
_TYPES = {Kind.NUMBER: "number", Kind.TEXT: "string", Kind.TRUTH: "boolean", Kind.TEXTS: "string"}


def condition_schemas() -> dict[str, Any]:
    """Return the definition `condition`, and one of what may be asked of a feature of each kind.

    Features of projections and families (`metadata.*`) are the user's own names: other keys are not refused here, but
    when the policy is read.
    """
    condition = {"$ref": "#/$defs/condition"}
    known = {"text": Kind.TEXT, **features()}
    joined = {"all": {"type": "array", "items": condition}, "any": {"type": "array", "items": condition}}
    asked = {name: {"$ref": f"#/$defs/{_name(kind)}"} for name, kind in known.items() if not name.endswith(".*")}
    definition = {"type": "object", "properties": {**joined, "not": condition, **asked}}
    return {"condition": definition} | {_name(kind): _asked(kind) for kind in Kind}


def _name(kind: Kind) -> str:
    return f"asked_{kind.name.lower()}"


def _asked(kind: Kind) -> dict[str, Any]:
    value = {"type": _TYPES[kind]}
    several = {"type": "array", "items": value, "minItems": 1}
    switches = {"present": {"type": "boolean"}} | ({"empty": {"type": "boolean"}} if kind is Kind.TEXTS else {})
    operators = {name: {"anyOf": [value, several]} for name in WRITTEN[kind]}
    form = {"type": "object", "properties": operators | switches, "additionalProperties": False, "minProperties": 1}
    return {"anyOf": [value, form] if kind is Kind.TRUTH else [value, several, form]}
