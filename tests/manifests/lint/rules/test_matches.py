from __future__ import annotations

from tests.manifests.lint.mistakes import EMBED_MATCH, GPT, LLAMA_MATCH
from tests.manifests.lint.planted import findings, found, plant

EMBED_RULE = "    - matches:\n" + EMBED_MATCH
DOCS = "        - path: { type: PathPrefix, value: /docs }\n"


def test_a_rule_without_pools_may_have_several_matches() -> None:
    assert found(plant((DOCS, DOCS + DOCS.replace("docs", "help")))) == []


def test_the_message_says_how_often_the_picker_is_asked() -> None:
    more = "".join(EMBED_MATCH.replace("embed", name) for name in ("a", "b"))
    (finding,) = findings(plant((EMBED_MATCH, EMBED_MATCH + more)))
    assert '3 matches lead to the pool "embed"' in finding.message
    assert "sample.yaml:86" in finding.message


def test_a_pool_in_routes_of_two_gateways_is_asked_once_on_each() -> None:
    text = plant(
        ("InferencePool, name: embed }", "InferencePool, name: llama }"),
        ("kind: Gateway, name: ai }\n  rules", "kind: Gateway, name: b }\n  rules"),
    )
    assert "pool-matched-twice" not in {rule for rule, _ in found(text)}


def test_a_pool_in_two_routes_of_a_gateway_is_asked_twice() -> None:
    text = plant(("InferencePool, name: embed }", "InferencePool, name: llama }"))
    assert found(text) == [("pool-matched-twice", 86)]


def test_a_header_more_is_another_match() -> None:
    text = plant((GPT, GPT + LLAMA_MATCH.replace("llama", "x").replace("x-ai-eg-model", "x-team")))
    assert found(text) == []


def test_the_order_of_headers_does_not_matter() -> None:
    one, other = "{ name: a, value: b }", "{ name: c, value: d }"
    twice = f"        - headers: [{one}, {other}]\n        - headers: [{other}, {one}]\n"
    text = plant(("        - headers:\n" + GPT, twice))
    assert [rule for rule, _ in found(text)] == ["same-match-twice"]


def test_a_path_more_is_another_match() -> None:
    text = plant((DOCS, DOCS + DOCS.replace("PathPrefix", "Exact")))
    assert found(text) == []


def test_two_listeners_of_a_gateway_are_no_two_matches() -> None:
    parent = (
        "    - { group: gateway.networking.k8s.io, kind: Gateway, name: ai, sectionName: tls }\n"
    )
    assert found(plant(("  rules:\n" + EMBED_RULE, parent + "  rules:\n" + EMBED_RULE))) == []
