from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.rule import ERROR, Rule


def test_a_rule_is_described_by_its_function() -> None:
    def found(_: Manifests) -> Iterator[Spot]:
        """Something is
        wrong."""
        yield from ()

    assert Rule("a", ERROR, found, "mend it").summary == "Something is wrong."
