from __future__ import annotations

from tests.manifests.lint.planted import CLEAN, found


def test_a_later_version_of_the_pool_is_not_known_to_the_gateway_either() -> None:
    text = CLEAN.replace(
        "inference.networking.k8s.io/v1\n", "inference.networking.k8s.io/v1alpha2\n"
    )
    assert [rule for rule, _ in found(text)] == ["pool-version"] * 2
