from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from epp.scheduling.parameter_type import type_text


class Pair(msgspec.Struct, rename="camel"):
    left_side: int
    right: str = ""


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (Annotated[int, msgspec.Meta(ge=1, lt=9)], "integer >= 1 < 9"),
        (Annotated[float, msgspec.Meta(gt=0.0, le=1.0)], "number > 0.0 <= 1.0"),
        (Annotated[float, msgspec.Meta(ge=3, lt=7)], "number >= 3.0 < 7.0"),
        (int | None, "integer or null"),
        (Literal["In", "NotIn"], "In | NotIn"),
        (tuple[str, ...], "list of string"),
        (frozenset[int], "list of integer"),
        (dict[str, list[int]], "map of string to list of integer"),
        (Pair, "{leftSide: integer, right: string}"),
        (Any, "any"),
    ],
)
def test_a_type_is_told_in_words(annotation: Any, text: str) -> None:
    assert type_text(annotation) == text
