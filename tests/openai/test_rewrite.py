from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.openai.rewrite import with_model

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, max_size=5),
    st.text(st.characters(codec="utf-8")),
)
def test_only_the_model_changes(fields: dict[str, object], model: str) -> None:
    rewritten = with_model(json.dumps(fields).encode(), model)
    assert rewritten is not None
    assert json.loads(rewritten) == {**fields, "model": model}


def test_what_stands_inside_stays_byte_for_byte() -> None:
    body = b'{"model" : "a", "messages" : [ {"content" : "\\u00e9", "n": 1.50} ]}'
    assert (
        with_model(body, "b") == b'{"model":"b","messages":[ {"content" : "\\u00e9", "n": 1.50} ]}'
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"m"', b"\xff"])
def test_what_is_no_object_is_not_rewritten(body: bytes) -> None:
    assert with_model(body, "b") is None
