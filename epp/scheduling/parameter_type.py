"""The type of a plugin's parameter, in words."""

from __future__ import annotations

from typing import Any

from msgspec import inspect

_BOUNDS = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))
_NAMES: dict[type[inspect.Type], str] = {
    inspect.BoolType: "boolean",
    inspect.FloatType: "number",
    inspect.IntType: "integer",
    inspect.NoneType: "null",
    inspect.StrType: "string",
}


def type_text(annotation: Any) -> str:
    """Return what a person calls `annotation`: `integer >= 1`, `map of string to string`."""
    return _text(inspect.type_info(annotation))


def _text(found: inspect.Type) -> str:
    match found:
        case inspect.LiteralType():
            return " | ".join(str(value) for value in found.values)
        case inspect.UnionType():
            return " or ".join(_text(one) for one in found.types)
        case inspect.CollectionType():
            return f"list of {_text(found.item_type)}"
        case inspect.DictType():
            return f"map of {_text(found.key_type)} to {_text(found.value_type)}"
        case inspect.StructType():
            fields = ", ".join(f"{f.encode_name}: {_text(f.type)}" for f in found.fields)
            return f"{{{fields}}}"
        case _:
            return " ".join((_NAMES.get(type(found), "any"), *_bounds(found)))


def _bounds(found: inspect.Type) -> list[str]:
    # To typing, bounds of 0 and of 0.0 are the same annotation: it returns the one it met first.
    number = float if isinstance(found, inspect.FloatType) else int
    limits = ((sign, getattr(found, name, None)) for name, sign in _BOUNDS)
    return [f"{sign} {number(limit)}" for sign, limit in limits if limit is not None]
