"""Whether a value certainly does not fit a JSON schema.

Only what most schemas are made of is read; what is not known here refuses nothing, so that no answer is blamed for a
keyword that this does not understand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: How deeply schemas are followed, references included.
MAX_DEPTH: Final = 32
#: Comparisons of a value with a schema; a schema that needs more, as one that refers to itself may, is given up.
MAX_STEPS: Final = 10_000

Schema = Mapping[str, Any]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}


def misfits(value: Any, schema: object) -> bool:
    """Tell whether a value certainly does not fit a schema."""
    return isinstance(schema, Mapping) and _Reading(schema).misfits(value, schema, 0)


class _Reading:
    """Reads a value by a schema, whose references lead into `root`."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._steps = 0

    def misfits(self, value: Any, schema: object, depth: int) -> bool:
        self._steps += 1
        if self._steps > MAX_STEPS or depth > MAX_DEPTH:
            return False
        if schema is False:
            return True
        if not isinstance(schema, Mapping) or (depth and "$id" in schema):
            return False  # references within a schema of another name lead elsewhere
        tests = (self._kind, self._listed, self._object, self._array, self._combined, self._referred)
        return any(test(value, schema, depth + 1) for test in tests)

    def _kind(self, value: Any, schema: Schema, _depth: int) -> bool:
        kinds = schema.get("type")
        named = [kinds] if isinstance(kinds, str) else kinds
        if not isinstance(named, list) or not all(isinstance(kind, str) and kind in _TYPES for kind in named):
            return False
        return not any(_TYPES[kind](value) for kind in named)

    def _listed(self, value: Any, schema: Schema, _depth: int) -> bool:
        listed = schema.get("enum")
        if isinstance(listed, list) and not any(_same(value, one) for one in listed):
            return True
        return "const" in schema and not _same(value, schema["const"])

    def _object(self, value: Any, schema: Schema, depth: int) -> bool:
        if not isinstance(value, dict):
            return False
        required, properties = schema.get("required"), schema.get("properties")
        if isinstance(required, list) and not all(name in value for name in required if isinstance(name, str)):
            return True
        known = properties if isinstance(properties, Mapping) else {}
        closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
        if closed and not value.keys() <= known.keys():
            return True
        return any(self.misfits(member, known[name], depth) for name, member in value.items() if name in known)

    def _array(self, value: Any, schema: Schema, depth: int) -> bool:
        if not isinstance(value, list) or "prefixItems" in schema:
            return False
        items = schema.get("items")
        return isinstance(items, Mapping) and any(self.misfits(member, items, depth) for member in value)

    def _combined(self, value: Any, schema: Schema, depth: int) -> bool:
        for name in ("anyOf", "oneOf"):
            options = schema.get(name)
            if isinstance(options, list) and options and all(self.misfits(value, one, depth) for one in options):
                return True
        parts = schema.get("allOf")
        return isinstance(parts, list) and any(self.misfits(value, one, depth) for one in parts)

    def _referred(self, value: Any, schema: Schema, depth: int) -> bool:
        """Follow a reference within the document; any other is not followed."""
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return False
        found: Any = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        return self.misfits(value, found, depth)


def _same(one: object, other: object) -> bool:
    """Compare as JSON does, for which 1 is 1.0 and is not true; of objects and lists only certain differences count."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict | list) and isinstance(other, dict | list):
        return type(one) is type(other) and len(one) == len(other)
    return one == other
