from __future__ import annotations

import pytest

from tests.manifests.lint.planted import findings, found, plant

PODS = '  - apiGroups: [""]\n    resources: [pods]\n    verbs: [list, watch]\n'


@pytest.mark.parametrize(
    "rule",
    [
        '  - { apiGroups: ["*"], resources: [pods], verbs: [list, watch] }\n',
        '  - { apiGroups: [""], resources: ["*"], verbs: ["*"] }\n',
        '  - { apiGroups: [""], resources: [pods], verbs: [list] }\n'
        '  - { apiGroups: [""], resources: [pods], verbs: [watch] }\n',
    ],
)
def test_a_right_may_be_granted_in_any_way(rule: str) -> None:
    assert found(plant((PODS, rule))) == []


@pytest.mark.parametrize(
    "rule", ["", '  - { apiGroups: [apps], resources: [pods], verbs: ["*"] }\n']
)
def test_what_is_missing_is_said(rule: str) -> None:
    messages = {finding.message for finding in findings(plant((PODS, rule)))}
    assert messages == {'"llama-epp" lacks list and watch on pods'}


def test_a_role_that_is_not_given_may_grant_everything() -> None:
    text = plant((PODS, ""), ("kind: Role, name: llama-epp }", "kind: ClusterRole, name: view }"))
    assert found(text) == []


def test_a_subject_without_namespace_is_in_that_of_the_binding() -> None:
    old = "kind: ServiceAccount, name: llama-epp, namespace: models }"
    assert found(plant((old, "kind: ServiceAccount, name: llama-epp }"))) == []


def test_an_account_of_another_namespace_is_another_one() -> None:
    old = "kind: ServiceAccount, name: llama-epp, namespace: models }"
    text = plant((old, old.replace("models", "team")))
    assert {rule for rule, _ in found(text)} == {"picker-unbound"}
