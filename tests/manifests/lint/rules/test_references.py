from __future__ import annotations

import pytest

from tests.manifests.lint.mistakes import LLAMA
from tests.manifests.lint.planted import CLEAN, findings, found, plant


def test_a_name_that_comes_near_is_named() -> None:
    (finding,) = findings(plant((LLAMA, LLAMA.replace("name: llama\n", "name: llamas\n"))))
    assert finding.message.endswith('; did you mean "llama"?')


def test_without_given_pools_every_name_can_be_right() -> None:
    routes = CLEAN[: CLEAN.index("apiVersion: inference.networking.k8s.io/v1\n")]
    assert "unknown-pool" not in {rule for rule, _ in found(routes)}


def test_a_grant_may_name_the_pool() -> None:
    assert (
        found(plant(("kind: InferencePool }\n---", "kind: InferencePool, name: llama }\n---")))
        == []
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: AIGatewayRoute, namespace: team }", "kind: HTTPRoute, namespace: team }"),
        ("name: pools, namespace: models }", "name: pools, namespace: team }"),
        (
            "inference.networking.k8s.io, kind: InferencePool }\n---",
            "a.b, kind: InferencePool }\n---",
        ),
    ],
)
def test_a_grant_for_something_else_does_not_help(old: str, new: str) -> None:
    assert [rule for rule, _ in found(plant((old, new)))] == ["missing-reference-grant"]


def test_a_route_whose_namespace_is_not_written_may_be_in_the_pools() -> None:
    text = plant(("  name: chat\n  namespace: team\n", "  name: chat\n"))
    assert "missing-reference-grant" not in {rule for rule, _ in found(text)}
