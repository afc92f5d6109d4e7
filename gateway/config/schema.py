"""JSON Schemas of the configuration files, generated from the models and from the registry of routers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gateway.config.condition_schema import condition_schemas
from gateway.config.models import GatewayConfig
from gateway.config.policy_models import PolicyConfig
from routers.registry import BUILT_IN, describe

if TYPE_CHECKING:
    from routers.options import Kind, Option

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: JSON's name for each type that an option may have.
TYPES = {
    "int": "integer",
    "float": "number",
    "str": "string",
    "bool": "boolean",
    "None": "null",
    "Mapping": "object",
    "Sequence": "array",
}


def schemas() -> dict[str, str]:
    """Return the schemas by file name, as they stand in `configs/`."""
    policy = PolicyConfig.model_json_schema()
    policy["properties"]["router"] = {"$ref": "#/$defs/router"}
    policy["$defs"] |= {kind: _component(kind) for kind in BUILT_IN} | condition_schemas()
    rule = policy["$defs"]["RuleConfig"]["properties"]
    rule["router"] = {"anyOf": [{"$ref": "#/$defs/router"}, {"type": "null"}]}
    rule["when"] = {"$ref": "#/$defs/condition"}
    documents = {"schema.json": GatewayConfig.model_json_schema(), "policy.schema.json": policy}
    return {
        name: json.dumps({"$schema": DIALECT, **document}, indent=2, sort_keys=True) + "\n"
        for name, document in documents.items()
    }


def _component(kind: Kind) -> dict[str, Any]:
    return {"oneOf": [_variant(name, options) for name, options in describe(kind).items()]}


def _variant(name: str, options: tuple[Option, ...]) -> dict[str, Any]:
    """Return the schema of one component: its type by name, and its options."""
    required = [option.name for option in options if option.required]
    return {
        "type": "object",
        "properties": {"type": {"const": name}} | {option.name: _option(option) for option in options},
        "required": ["type", *required],
        "additionalProperties": False,
    }


def _option(option: Option) -> dict[str, Any]:
    schema = _part(option) if option.kind else _plain(option)
    return schema if option.required else {**schema, "default": option.default}


def _part(option: Option) -> dict[str, Any]:
    """Return the schema of an option that is a component, or a list of them."""
    part: dict[str, Any] = {"$ref": f"#/$defs/{option.kind}"}
    if option.many:
        return {"type": "array", "items": part}
    return part if option.required else {"anyOf": [part, {"type": "null"}]}


def _plain(option: Option) -> dict[str, Any]:
    if option.type.startswith("Literal["):
        return {"enum": re.findall(r"'(\w+)'", option.type)}
    names = [part.split("[")[0].strip() for part in option.type.split("|")]
    types = [TYPES[name] for name in names if name in TYPES]
    return {"type": types[0] if len(types) == 1 else types} if types else {}
