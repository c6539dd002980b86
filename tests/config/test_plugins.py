from __future__ import annotations

import pytest

from epp.config import plugins


@pytest.mark.parametrize(
    ("type_name", "kind"),
    [
        ("queue-scorer", "scorer"),
        ("label-selector-filter", "filter"),
        ("max-score-picker", "picker"),
        ("approx-prefix-cache-producer", "producer"),
        ("single-profile-handler", "profile handler"),
        ("openai-parser", "parser"),
        ("nothing", None),
    ],
)
def test_every_type_has_one_kind(type_name: str, kind: str | None) -> None:
    plugins.register_all()
    assert plugins.kind_of(type_name) == kind
    assert (type_name in plugins.type_names()) is (kind is not None)
