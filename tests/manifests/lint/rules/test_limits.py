from __future__ import annotations

import pytest

from tests.manifests.lint.mistakes import GPT
from tests.manifests.lint.planted import found, plant


def test_fifteen_rules_fit() -> None:
    rules = "".join(
        f"    - matches: [{{ headers: [{{ name: m, value: v{i} }}] }}]\n" for i in range(13)
    )
    assert found(plant(("  llmRequestCosts:\n", rules + "  llmRequestCosts:\n"))) == []


def test_sixteen_headers_fit() -> None:
    headers = "".join(f"            - {{ name: h{i}, value: v }}\n" for i in range(16))
    assert found(plant((GPT, headers))) == []


@pytest.mark.parametrize("number", [2, 128])
def test_as_many_matches_fit(number: int) -> None:
    more = "".join(f"        - headers: [{{ name: h, value: v{i} }}]\n" for i in range(number))
    assert found(plant(("        - headers:\n" + GPT, more))) == []
