from __future__ import annotations

from tests.manifests.lint.planted import findings, found, plant


def test_a_type_that_comes_near_is_named() -> None:
    (finding,) = findings(plant(("type: TotalToken", "type: TotalTokens")))
    assert (
        finding.message == 'there is no cost of the type "TotalTokens"; did you mean "TotalToken"?'
    )


def test_metadata_of_others_is_their_own() -> None:
    old = "namespace: io.envoy.ai_gateway, key: llm_total_token }"
    assert found(plant((old, "namespace: com.example, key: x }"))) == []


def test_costs_of_the_whole_gateway_count_as_well() -> None:
    text = plant(("key: llm_total_token }", "key: other }"))
    config = (
        "---\napiVersion: aigateway.envoyproxy.io/v1beta1\nkind: GatewayConfig\nspec:\n"
        "  globalLLMRequestCosts: [{ metadataKey: other, type: InputToken }]\n"
    )
    assert found(text + config) == []
    assert [rule for rule, _ in found(text)] == ["cost-unknown"]
