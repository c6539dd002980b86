from __future__ import annotations

import pytest

from epp.scheduling.query import Query


def test_a_fact_is_found_by_the_name_of_its_producer() -> None:
    assert Query(facts={"counter": 7}).fact("counter", int) == 7


def test_a_fact_of_another_kind_is_a_wiring_bug_that_names_both() -> None:
    with pytest.raises(TypeError, match="'counter' gave str, not int"):
        Query(facts={"counter": "7"}).fact("counter", int)


def test_a_missing_fact_is_a_wiring_bug() -> None:
    with pytest.raises(TypeError, match="'counter' gave NoneType"):
        Query().fact("counter", int)
