from __future__ import annotations

import pytest

from tests.manifests.lint.mistakes import PICKER, SERVICE
from tests.manifests.lint.planted import CLEAN, findings, found, plant


def test_a_service_may_be_written_out() -> None:
    assert found(plant((PICKER, '    kind: Service\n    group: ""\n' + PICKER))) == []


def test_without_given_services_every_name_can_be_right() -> None:
    text = CLEAN.replace("kind: Service\n", "kind: Other\n")
    assert found(text) == []


@pytest.mark.parametrize("target", ["9002", "grpc"])
def test_a_headless_service_may_name_the_containers_port(target: str) -> None:
    assert (
        found(plant((SERVICE, SERVICE.replace("targetPort: grpc", f"targetPort: {target}")))) == []
    )


def test_a_service_with_an_address_translates_ports() -> None:
    text = plant(
        (SERVICE, SERVICE.replace("targetPort: grpc", "targetPort: 9000")),
        ("  clusterIP: None\n  selector: { app: llama-epp }", "  selector: { app: llama-epp }"),
    )
    assert [rule for rule, _ in found(text)] == ["picker-not-headless"]


def test_a_service_of_another_namespace_is_named_as_such() -> None:
    old = "name: llama-epp, namespace: models }\nspec:\n  clusterIP"
    (finding,) = findings(plant((old, old.replace("models", "team"))))
    assert finding.message == 'no given Service in the pool\'s namespace is called "llama-epp"'
