from __future__ import annotations

from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.objects import objects_in
from epp.manifests.lint.route import Route, header_matches
from tests.manifests.lint.planted import CLEAN


def routes() -> list[Route]:
    return Manifests(objects_in("f", CLEAN.encode()).objects).routes


def test_both_kinds_of_routes_are_known() -> None:
    assert [(route.manifest.name, route.is_ai) for route in routes()] == [
        ("chat", True),
        ("embed", False),
    ]


def test_a_backend_is_in_the_namespace_that_it_names_or_in_that_of_its_route() -> None:
    backends = [backend for rule in routes()[0].rules for backend in rule.backends]
    assert [(b.name, b.namespace, b.is_pool) for b in backends] == [
        ("llama", "models", True),
        ("openai", "team", False),
        ("azure", "team", False),
    ]


def test_the_gateways_of_a_route_are_named() -> None:
    assert [route.gateways for route in routes()] == [["ai"], ["ai"]]


def test_headers_are_compared_without_case_and_are_exact_by_default() -> None:
    (one,) = objects_in(
        "f", b"apiVersion: v1\nkind: X\nheaders: [{name: X-Ai, value: 7}]\n"
    ).objects
    assert list(header_matches(one.root)) == [("Exact", "x-ai", "7")]
