from __future__ import annotations

import pytest

from tests.manifests.lint.mistakes import EMBED
from tests.manifests.lint.planted import findings, found, plant


@pytest.mark.parametrize("more", ["weight: 1", "namespace: models"])
def test_what_changes_nothing_is_no_mistake(more: str) -> None:
    assert found(plant((EMBED, EMBED.replace("embed }", f"embed, {more} }}")))) == []


def test_several_other_backends_may_share_a_rule() -> None:
    assert (
        found(plant(("        - name: azure\n", "        - name: azure\n        - name: x\n")))
        == []
    )


def test_the_message_says_which_of_the_two_is_missing() -> None:
    text = plant(("        - name: azure\n", "        - name: azure\n          kind: X\n"))
    assert [f.message for f in findings(text)] == ["kind without group"]


def test_a_service_on_an_http_route_needs_no_group() -> None:
    text = plant(("{ name: docs, port: 80, weight: 2 }", "{ kind: Service, name: docs, port: 80 }"))
    assert found(text) == []
