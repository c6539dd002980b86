from __future__ import annotations

from msgspec import structs

from epp.scheduling.filters.context_length import ContextLengthFilter
from tests.scheduling.books import facts
from tests.scheduling.examples import endpoint, query

LABEL = "llm-d.ai/context-length-range"
SHORT = structs.replace(endpoint(1), labels={LABEL: "0-2048"})
LONG = structs.replace(endpoint(2), labels={LABEL: "2049-131072"})
ANY = endpoint(3)


def test_those_that_are_meant_for_other_lengths_are_dropped() -> None:
    pool = [SHORT, LONG, ANY]
    kept = [
        ContextLengthFilter().keep(query(facts=facts(prompt=tokens)), pool)
        for tokens in (1000.0, 5000.0, 1e6)
    ]
    assert kept == [[SHORT, ANY], [LONG, ANY], [ANY]]
