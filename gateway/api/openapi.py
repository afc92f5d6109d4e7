"""What the OpenAPI document says of bodies that are forwarded rather than re-declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

#: Only what is checked here; OpenAI's many other fields go through as they are.
CHAT_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["model", "messages"],
                    "properties": {
                        "model": {
                            "type": "string",
                            "minLength": 1,
                            "description": "A policy (`auto`), a policy with its dial turned (`auto:cheap`, "
                            "`auto:best`, `auto:0.3`), or a model.",
                        },
                        "messages": {"type": "array", "minItems": 1, "items": {"type": "object"}},
                        "stream": {"type": ["boolean", "null"]},
                        "stream_options": {"type": ["object", "null"]},
                    },
                    "additionalProperties": True,
                }
            }
        },
    }
}

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}

_ERROR: dict[str, Any] = {
    "description": "An error, in OpenAI's form.",
    "content": {"application/json": {"schema": ERROR_SCHEMA}},
}

#: The errors of every endpoint.
JSON_RESPONSES: dict[int | str, dict[str, Any]] = {"4XX": _ERROR, "5XX": _ERROR}

CHAT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The model's answer, as the model gave it: whole, or a stream of events.",
        "content": {"application/json": {"schema": {"type": "object"}}, "text/event-stream": {}},
    },
    **JSON_RESPONSES,
}


def json_request(model: type[BaseModel], *, listed: int = 0) -> dict[str, Any]:
    """Return what the document says of a body that the endpoint reads itself, as the model has it.

    With `listed` it may also be a list of at most so many.
    """
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    schema["properties"] = {name: _inlined(part, definitions) for name, part in schema["properties"].items()}
    if listed:
        schema = {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1, "maxItems": listed}]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema with its references replaced: they would be looked for at the top of the document."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
