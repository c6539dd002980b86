from __future__ import annotations

from epp.scheduling.handlers.single_profile import SingleProfileHandler
from tests.scheduling.examples import query


def test_the_only_profile_is_chosen() -> None:
    assert SingleProfileHandler().choose(query(), ("default",)) == "default"
