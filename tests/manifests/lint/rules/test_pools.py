from __future__ import annotations

from tests.manifests.lint.planted import found, plant


def test_pods_may_have_more_labels_than_are_selected() -> None:
    assert (
        found(
            plant(
                (
                    "matchLabels: { app: embed }\n  targetPorts",
                    "matchLabels: { size: small }\n  targetPorts",
                )
            )
        )
        == []
    )


def test_workloads_without_the_selected_labels_say_nothing_about_the_pool() -> None:
    text = plant(
        ("matchLabels: { app: llama }\n  targetPorts", "matchLabels: { model: x }\n  targetPorts")
    )
    assert found(text) == []


def test_a_workload_of_another_namespace_is_not_the_pools() -> None:
    text = plant(
        ("name: llama, namespace: models }\nspec:", "name: llama, namespace: other }\nspec:")
    )
    assert [rule for rule, _ in found(text)] == ["selector-matches-nothing"]


def test_a_patch_without_spec_is_no_pool_without_ports() -> None:
    patch = "apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: a}\n"
    assert found(patch) == []
