from __future__ import annotations

import pytest

from tests.manifests.lint.planted import findings, found, plant

LIMIT = "    bufferLimit: 50Mi\n"
TARGET = "  targetRefs:\n    - { group: gateway.networking.k8s.io, kind: Gateway, name: ai }\n"


def test_an_http_route_to_a_duplex_pool_needs_no_limit() -> None:
    text = plant((LIMIT, ""), ("mode: buffered", "mode: duplex"))
    assert found(text) == [("buffer-limit", 20)]


@pytest.mark.parametrize(
    "target",
    [
        "  targetRef: { group: gateway.networking.k8s.io, kind: Gateway, name: ai }\n",
        "  targetSelectors: [{ kind: Gateway, matchLabels: { a: b } }]\n",
    ],
)
def test_a_policy_can_name_its_gateway_in_other_ways(target: str) -> None:
    assert found(plant((TARGET, target))) == []


def test_the_pickers_own_limit_is_that_of_its_flag() -> None:
    text = plant(("            - --max-body-bytes=52428800\n", ""))
    (finding,) = findings(text)
    assert (finding.rule, finding.line) == ("buffer-above-picker", 16)
    assert "16777216 bytes" in finding.message


def test_a_lower_limit_of_the_gateway_is_fine() -> None:
    assert found(plant((LIMIT, "    bufferLimit: 1Mi\n"))) == []
