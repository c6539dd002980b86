from __future__ import annotations

import pytest

from tests.manifests.lint.planted import findings, found, plant


@pytest.mark.parametrize("request_timeout", ["0s", "0h", "61s", "1h30m"])
def test_a_long_time_and_no_limit_are_no_mistake(request_timeout: str) -> None:
    assert found(plant(("request: 10m", f"request: {request_timeout}"))) == []


def test_rules_without_pools_may_be_quick() -> None:
    text = plant(
        ("        - name: azure\n", "        - name: azure\n"),
        ("value: /docs }\n", "value: /docs }\n      timeouts: { request: 5s }\n"),
    )
    assert found(text) == []


def test_the_default_depends_on_the_kind_of_route() -> None:
    text = plant(
        ("      timeouts:\n        request: 10m\n", ""), ("      timeouts: { request: 0s }\n", "")
    )
    assert [f.message for f in findings(text)] == [
        "no timeouts.request: streams are cut after 60 s",
        "no timeouts.request: streams are cut after 15 s",
    ]


def test_the_idle_timeout_of_a_stream_must_be_a_duration() -> None:
    text = plant(
        ("        request: 10m\n", "        request: 10m\n      streamIdleTimeout: soon\n")
    )
    assert [f.message for f in findings(text)] == ['streamIdleTimeout: "soon" is no duration']
