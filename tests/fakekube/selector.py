"""Label and field selectors, as query parameters spell them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tests.fakekube.answer import Refusal
from tests.fakekube.kinds import Json, Kind

Wanted = Callable[[Json], bool]

_SET = re.compile(r"(?P<key>[^\s,!=<>()]+)\s+(?P<operator>in|notin)\s+\((?P<values>[^)]*)\)")
_EQUAL = re.compile(r"(?P<key>[^\s,!=<>()]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s,!=<>()]*)")
_EXISTS = re.compile(r"(?P<absent>!)?\s*(?P<key>[^\s,!=<>()]+)")


def wanted(kind: Kind, labels: str, fields: str) -> Wanted:
    """Return whether an object is selected by both."""
    tests = _label_tests(labels) + _field_tests(kind, fields)
    return lambda obj: all(test(obj) for test in tests)


def named(fields: str) -> str:
    """Return the one name that a field selector leaves."""
    found = re.search(r"(?:^|,)metadata\.name==?([^,]+)", fields)
    return found[1] if found else ""


def _label_tests(text: str) -> list[Wanted]:
    tests: list[Wanted] = []
    rest = text.strip()
    while rest:
        found = _SET.match(rest) or _EQUAL.match(rest) or _EXISTS.match(rest)
        if found is None or (rest[found.end() :].strip() or ",")[0] != ",":
            raise Refusal(400, f"unable to parse requirement: {text!r}")
        tests.append(_label_test(found.groupdict()))
        rest = rest[found.end() :].strip().removeprefix(",").strip()
    return tests


def _label_test(term: Mapping[str, str | None]) -> Wanted:
    key = term["key"]
    if "operator" not in term:
        return lambda obj: (key in _labels(obj)) != bool(term["absent"])
    values = [value.strip() for value in (term.get("values") or term.get("value") or "").split(",")]
    if term["operator"] in {"notin", "!="}:
        return lambda obj: _labels(obj).get(key) not in values
    return lambda obj: _labels(obj).get(key) in values


def _field_tests(kind: Kind, text: str) -> list[Wanted]:
    return [_field_test(kind, term) for term in filter(None, text.split(","))]


def _field_test(kind: Kind, term: str) -> Wanted:
    found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", term)
    if found is None:
        raise Refusal(400, f"invalid selector: {term!r}; can't understand it")
    path, operator, value = found.groups()
    if path not in kind.fields | {"metadata.name", "metadata.namespace"}:
        raise Refusal(400, f"field label not supported: {path}")
    return lambda obj: (_at(obj, path) == value) == (operator != "!=")


def _labels(obj: Json) -> Mapping[str | None, str]:
    labels: Mapping[str | None, str] = obj["metadata"].get("labels") or {}
    return labels


def _at(obj: Json, path: str) -> str:
    value: object = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return str(value or "")
