"""Nodes to typed values: every mistake is found in one go, each with its line."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec

from epp.document.node import Node
from epp.document.problem import Problem, did_you_mean

T = TypeVar("T")

_EXPECTED = re.compile(r"Expected `(?P<what>[^`]*)`(?P<bound> [^,]*)?")
_WORDS = {"str": "text", "bool": "true or false", "float": "a number", "int": "a whole number"}


def fit(node: Node, kind: type[T], place: str, problems: list[Problem]) -> T | None:
    """Return `node` as a `kind`, or None after saying in `problems` why it is none.

    `place` says where in the document `node` is. Structs refuse fields that they do not have.
    """
    found: list[Problem] = []
    made = _Fitting(found).any(node, kind, place)
    problems.extend(found)
    return None if found else cast("T", made)


class _Fitting:
    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def any(self, node: Node, kind: Any, place: str) -> Any:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(node, kind, place)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated and get_origin(arguments[0]) is not None:
            return self.any(node, arguments[0], place)
        if origin in {Union, types.UnionType} and type(None) in arguments:
            return self._optional(node, arguments, place)
        if origin is Literal:
            return self._literal(node, arguments, place)
        if origin in {list, tuple, Sequence}:
            return self._sequence(node, origin, arguments[0], place)
        if origin in {dict, Mapping}:
            return self._mapping(node, arguments[1], place)
        return self._leaf(node, kind, place)

    def _struct(self, node: Node, kind: type[msgspec.Struct], place: str) -> Any:
        if not isinstance(node.value, dict):
            return self._wrong(node, place, "a mapping")
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        self._refuse_unknown(node.value, fields, place)
        before, values = len(self._problems), {}
        for name, field in fields.items():
            written = node.value.get(name)
            if written is not None and (written.value is not None or field.required):
                values[field.name] = self.any(written, field.type, _join(place, name))
            elif field.required:
                self._say(node, place, f'"{name}" is missing')
        if len(self._problems) > before:
            return None
        try:
            return kind(**values)
        except (TypeError, ValueError) as error:  # what __post_init__ raises
            return self._say(node, place, str(error))

    def _refuse_unknown(
        self, members: Mapping[str, Node], known: Mapping[str, object], place: str
    ) -> None:
        where = f" in {place}" if place else ""
        for name, member in members.items():
            if name not in known:
                hint = did_you_mean(name, known)
                self._problems.append(Problem(member.line, f'unknown field "{name}"{where}{hint}'))

    def _optional(self, node: Node, arguments: tuple[Any, ...], place: str) -> Any:
        if node.value is None:
            return None
        return self.any(node, Union[tuple(a for a in arguments if a is not type(None))], place)  # noqa: UP007

    def _literal(self, node: Node, allowed: tuple[Any, ...], place: str) -> Any:
        if node.value in allowed:
            return node.value
        hint = did_you_mean(str(node.value), map(str, allowed))
        one_of = ", ".join(map(str, allowed))
        return self._say(node, place, f"{node.described()} is none of {one_of}{hint}")

    def _sequence(self, node: Node, origin: Any, item: Any, place: str) -> Any:
        if not isinstance(node.value, list):
            return self._wrong(node, place, "a list")
        items = [self.any(n, item, f"{place}[{i}]") for i, n in enumerate(node.value)]
        return tuple(items) if origin is tuple else items

    def _mapping(self, node: Node, value: Any, place: str) -> Any:
        if not isinstance(node.value, dict):
            return self._wrong(node, place, "a mapping")
        if value is Any:
            return node.plain()
        return {k: self.any(v, value, _join(place, k)) for k, v in node.value.items()}

    def _leaf(self, node: Node, kind: Any, place: str) -> Any:
        if isinstance(node.value, float) and not math.isfinite(node.value):
            return self._wrong(node, place, "a finite number")
        try:
            return msgspec.convert(node.plain(), kind)
        except msgspec.ValidationError as error:
            return self._refused(node, place, str(error))

    def _refused(self, node: Node, place: str, message: str) -> None:
        expected = _EXPECTED.match(message)
        if expected is None:
            return self._say(node, place, message)
        what = " or ".join(_WORDS.get(word, word) for word in expected["what"].split(" | "))
        quotable = expected["what"] == "str" and isinstance(node.value, int | float)
        hint = "; put it in quotes" if quotable else ""
        return self._wrong(node, place, what + (expected["bound"] or ""), hint)

    def _wrong(self, node: Node, place: str, expected: str, hint: str = "") -> None:
        self._say(node, place, f"expected {expected}, got {node.described()}{hint}")

    def _say(self, node: Node, place: str, text: str) -> None:
        self._problems.append(Problem(node.line, f"{place}: {text}" if place else text))


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
