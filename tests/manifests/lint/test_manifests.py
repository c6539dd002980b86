from __future__ import annotations

from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.objects import objects_in
from tests.manifests.lint.planted import CLEAN, plant


def manifests(text: str = CLEAN) -> Manifests:
    return Manifests(objects_in("f", text.encode()).objects)


def test_a_pool_leads_to_its_picker() -> None:
    pairs = [(pool.manifest.name, w.manifest.name) for pool, w in manifests().pickers()]
    assert pairs == [("llama", "llama-epp"), ("embed", "embed-epp")]


def test_a_service_of_another_namespace_is_not_the_pickers() -> None:
    found = manifests(
        plant(
            (
                "name: llama-epp, namespace: models }\nspec:\n  clusterIP",
                "name: llama-epp, namespace: b }\nspec:\n  clusterIP",
            )
        )
    )
    assert found.service_of(found.pools[0]) is None


def test_pools_of_the_older_api_are_none_here() -> None:
    text = CLEAN.replace("inference.networking.k8s.io/v1", "inference.networking.x-k8s.io/v1alpha2")
    assert manifests(text).pools == []


def test_routes_of_foreign_groups_are_none() -> None:
    text = CLEAN.replace("aigateway.envoyproxy.io/v1beta1", "example.com/v1")
    assert [route.manifest.name for route in manifests(text).routes] == ["embed"]
