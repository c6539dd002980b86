from __future__ import annotations

import pytest

from epp.costs.facts import Facts
from epp.openai.usage import Usage


def counted(usage: Usage | None) -> tuple[int, ...]:
    facts = Facts("m")
    facts.count(usage, prompt_tokens=9, generated=4)
    return (
        facts.input_tokens,
        facts.cached_input_tokens,
        facts.cache_creation_input_tokens,
        facts.output_tokens,
        facts.total_tokens,
        facts.reasoning_tokens,
    )


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, (9, 0, 0, 4, 13, 0)),  # estimates, until the server tells
        (Usage(7), (7, 0, 0, 4, 11, 0)),  # Anthropic's opening
        (Usage(7, 3, 10, 2, 1, 1), (7, 2, 1, 3, 10, 1)),
        (Usage(7, 0, 7), (7, 0, 0, 0, 7, 0)),
        (Usage(7, None, 7), (7, 0, 0, 4, 7, 0)),
        (Usage(None, 3), (9, 0, 0, 3, 12, 0)),
    ],
)
def test_what_the_server_tells_takes_the_place_of_the_estimates(
    usage: Usage | None, counts: tuple[int, ...]
) -> None:
    assert counted(usage) == counts
