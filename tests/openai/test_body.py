from __future__ import annotations

import msgspec

from epp.openai.apis import APIS
from epp.openai.body import Body


def shapes(parent: type[Body] = Body) -> list[type[Body]]:
    return [parent, *(shape for child in parent.__subclasses__() for shape in shapes(child))]


def test_a_body_of_no_api_has_no_prompt_and_no_limit() -> None:
    assert Body().text() == ""
    assert Body().output_limit() is None


def test_every_limit_is_a_field() -> None:
    assert len(shapes()) > len(APIS) // 2
    for shape in shapes():
        assert set(shape.limits) <= set(shape.__struct_fields__), shape


def test_no_field_builds_a_tree_of_unknown_size() -> None:
    for shape in shapes():
        for field in msgspec.structs.fields(shape):
            assert "Any" not in str(field.type), (shape, field.name)
            assert "dict" not in str(field.type), (shape, field.name)
