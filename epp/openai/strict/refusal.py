"""The decoder's complaint about a typed body, in the words that OpenAI uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import inspect

from epp.openai.invalid import Invalid, empty, missing, mistyped

_PLACE = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_TYPE = re.compile(r"Expected `(.*?)`(?:, got `(.*?)`)?$")
_BOUND = re.compile(r"Expected `(\w+)` ([<>]=? \S+)$")
_STEP = re.compile(r"[^.\[\]]+|\[[^\]]*\]")
_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def refusal(error: str, shape: type[msgspec.Struct]) -> Invalid:
    """Translate `error`: it names fields and types, and never repeats a value of the body."""
    what, param = _apart(error)
    if found := _MISSING.match(what):
        return missing(f"{param}.{found[1]}" if param else found[1])
    if what.startswith("Invalid"):
        return _unknown(param, sorted(_choices(inspect.type_info(shape), _STEP.findall(param))))
    if "of length >=" in what:
        return empty(param)
    if found := _BOUND.match(what):
        expected = f"{_WORDS.get(found[1], found[1])} {found[2]}"
        return Invalid(f"Invalid '{param}': expected {expected}.", param, "invalid_value")
    found = _TYPE.match(what)
    return mistyped(param or "body", _types(found[1]) if found else "another type")


def _apart(error: str) -> tuple[str, str]:
    found = _PLACE.match(error)
    return (found[1], found[2] or "") if found else (error, "")


def _unknown(param: str, choices: list[str]) -> Invalid:
    expected = _either([f"'{choice}'" for choice in choices])
    return Invalid(
        f"Invalid value for '{param}': expected {expected}.", param=param, code="invalid_value"
    )


def _types(names: str) -> str:
    return _either([_WORDS.get(name, name) for name in names.split(" | ") if name != "null"])


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _choices(kind: inspect.Type, steps: list[str]) -> Iterator[str]:
    """Yield the values that are allowed where `steps` lead to."""
    for one in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        if not steps:
            yield from _values(one)
        elif isinstance(one, inspect.ListType) and steps[0].startswith("["):
            yield from _choices(one.item_type, steps[1:])
        elif isinstance(one, inspect.StructType):
            yield from _of_field(one, steps)


def _values(kind: inspect.Type) -> Iterable[str]:
    return map(str, kind.values) if isinstance(kind, inspect.LiteralType) else ()


def _of_field(kind: inspect.StructType, steps: list[str]) -> Iterator[str]:
    if kind.tag_field == steps[0]:
        yield str(kind.tag)
    for field in kind.fields:
        if field.encode_name == steps[0]:
            yield from _choices(field.type, steps[1:])
