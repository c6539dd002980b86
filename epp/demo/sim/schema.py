"""JSON that fits a schema: what constrained decoding leaves a model to say, at its shortest."""

from __future__ import annotations

from typing import Any

_EMPTY = {"string": "", "integer": 0, "number": 0, "boolean": False, "null": None, "array": []}


def instance(schema: Any, root: Any = None) -> Any:
    """Return a value of `schema`; `root` is where its references lead into."""
    root = schema if root is None else root
    if not isinstance(schema, dict):
        return None
    if isinstance(reference := schema.get("$ref"), str):
        return instance(_follow(root, reference), root)
    for choice in ("anyOf", "oneOf", "allOf"):
        if options := schema.get(choice):
            return instance(options[0], root)
    if "const" in schema:
        return schema["const"]
    if values := schema.get("enum"):
        return values[0]
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        return {name: instance(one, root) for name, one in properties.items()}
    return schema.get("minimum", _EMPTY.get(schema.get("type", "string"), ""))


def _follow(root: Any, reference: str) -> Any:
    found = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found
