from __future__ import annotations

import pytest

from tests.manifests.lint.planted import found, plant

POOL = "            - --pool=models/llama\n"


def test_a_switch_that_is_off_is_no_mistake() -> None:
    assert found(plant((POOL, POOL + "            - --insecure=false\n"))) == []


def test_plaintext_is_a_mistake_only_behind_a_gateway() -> None:
    text = plant(
        (POOL, POOL + "            - --insecure\n"),
        ("labels: { app: llama-epp }", "labels: { app: sidecar }"),
    )
    assert "picker-insecure" not in {rule for rule, _ in found(text)}


POLICY = """---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
spec:
  extProc: [{ backendRefs: [{ name: embed-epp, port: 9002 }] }]
"""
INSECURE = ("args: [--pool-name=embed]", "args: [--insecure]")


def test_a_policy_of_envoy_gateway_may_call_a_picker_in_plaintext() -> None:
    unused = plant(INSECURE, ("kind: InferencePool, name: embed }", "kind: Service, name: x }"))
    assert "picker-insecure" in {rule for rule, _ in found(unused)}
    assert "picker-insecure" not in {rule for rule, _ in found(unused + POLICY)}


def test_a_pool_with_a_route_is_called_by_tls_whatever_else_calls_its_picker() -> None:
    assert [rule for rule, _ in found(plant(INSECURE) + POLICY)] == ["picker-insecure"]


def test_plaintext_by_a_variable_is_found_as_well() -> None:
    image = "          image: registry.example.com/epp:1.0\n"
    text = plant((image, image + '          env: [{ name: EPP_INSECURE, value: "1" }]\n'))
    assert [rule for rule, _ in found(text)] == ["picker-insecure"]


@pytest.mark.parametrize("pool", ["--pool=llama", "--pool=models/llama\n            - --pool=b/c"])
def test_a_picker_may_serve_several_pools(pool: str) -> None:
    assert found(plant((POOL, f"            - {pool}\n"))) == []


def test_the_drain_is_thirty_seconds_and_so_is_the_grace_period() -> None:
    text = plant(
        ("            - --drain-timeout=300\n", ""),
        ("      terminationGracePeriodSeconds: 340\n", ""),
        ("seconds: 40", "seconds: 0"),
    )
    assert found(text) == []
