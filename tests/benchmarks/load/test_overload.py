from __future__ import annotations

import pytest
from msgspec import structs

from benchmarks.load.overload import run, table
from epp.demo.overload import OverloadOptions, gated
from epp.demo.traffic import Plan

pytestmark = pytest.mark.envoy

SHORT = Plan(
    conversations=4,
    turns=1,
    per_second=8,
    instructions_words=50,
    question_words=20,
    answer_tokens=6,
)


async def test_nothing_is_held_after_the_last_answer() -> None:
    options = structs.replace(OverloadOptions(), plan=SHORT)
    found = await run(gated(options.promise), options)
    assert (found.kept.requests, found.kept.failed, found.held) == (4, 0, {})
    assert found.cpu_ms > 0.0
    assert "| held at the end | nothing |" in table([("may wait", found)])
