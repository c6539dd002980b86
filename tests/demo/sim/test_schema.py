from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from epp.demo.sim.schema import instance

POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer", "minimum": 3}, "label": {"type": "string"}},
    "required": ["x", "label"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema",
    [
        POINT,
        {"type": "array", "items": POINT},
        {"enum": ["a", "b"]},
        {"const": 5},
        {"anyOf": [POINT, {"type": "null"}]},
        {"$ref": "#/$defs/point", "$defs": {"point": POINT}},
        {"properties": {"p": {"$ref": "#/$defs/point"}}, "$defs": {"point": POINT}},
        {"type": "boolean"},
        {"type": "number"},
        {"type": "null"},
        {},
    ],
)
def test_the_value_is_valid(schema: dict[str, Any]) -> None:
    jsonschema.validate(instance(schema), schema)


@pytest.mark.parametrize("schema", [None, 5, {"$ref": "#/nowhere"}, {"$ref": "#/a/b", "a": 5}])
def test_what_is_no_schema_gets_nothing(schema: Any) -> None:
    assert instance(schema) is None
