from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from epp.manifests.render import routing
from epp.manifests.render.yaml_text import Value, write
from tests.manifests.render.sample import model, pool


def plain(value: Mapping[str, Value]) -> Any:
    return yaml.safe_load(write(value))


def header(*names: str) -> Any:
    (rule,) = plain(routing.route(pool(*(model(name) for name in names))))["spec"]["rules"]
    return rule["matches"][0]["headers"][0]


def test_a_pool_refers_to_its_pods_and_its_picker() -> None:
    spec = plain(routing.inference_pool(pool()))["spec"]
    assert spec == {
        "selector": {"matchLabels": {"app": "llama"}},
        "targetPorts": [{"number": 8000}],
        "endpointPickerRef": {
            "name": "llama-epp",
            "port": {"number": 9002},
            "failureMode": "FailClose",
        },
    }


def test_annotations_are_the_very_words_of_the_gateway() -> None:
    buffered = pool(model(processing_body_mode="buffered"))
    metadata = plain(routing.inference_pool(buffered))["metadata"]
    assert sorted(metadata["annotations"].values()) == ["buffered", "true"]


def test_pods_of_other_engines_need_a_label_which_is_said() -> None:
    text = write(routing.inference_pool(pool(model(engine="sglang"))))
    assert "llm-d.ai/engine-type: sglang" in text
    assert "engine-type" not in write(routing.inference_pool(pool()))


def test_one_model_is_matched_by_its_name() -> None:
    assert header("a.b/c") == {"type": "Exact", "name": "x-ai-eg-model", "value": "a.b/c"}


def test_several_models_of_a_pool_are_one_match() -> None:
    match = header("gemma-3.1", "gemma(lora)+")
    assert match["type"] == "RegularExpression"
    assert re.fullmatch(match["value"], "gemma-3.1")
    assert re.fullmatch(match["value"], "gemma(lora)+")
    assert not re.fullmatch(match["value"], "gemma-3x1")


@pytest.mark.parametrize(("namespace", "written"), [("default", None), ("gateways", "gateways")])
def test_a_gateway_elsewhere_is_named_with_its_namespace(
    namespace: str, written: str | None
) -> None:
    route = plain(routing.route(pool(ai_gateway_gateway_namespace=namespace)))
    assert route["spec"]["parentRefs"][0].get("namespace") == written


def test_the_time_limit_is_the_models() -> None:
    (rule,) = plain(routing.route(pool(model(request_timeout="0s"))))["spec"]["rules"]
    assert rule["timeouts"] == {"request": "0s"}


def test_a_circuit_breaker_is_there_only_if_asked_for() -> None:
    assert "circuitBreaker" not in plain(routing.backend_traffic_policy(pool()))["spec"]
    raised = plain(routing.backend_traffic_policy(pool(model(max_requests=4096))))["spec"]
    assert set(raised["circuitBreaker"].values()) == {4096}


def test_no_client_may_choose_its_destination() -> None:
    spec = plain(routing.client_traffic_policy(pool()))["spec"]
    removed = spec["headers"]["earlyRequestHeaders"]["remove"]
    assert removed == ["x-gateway-destination-endpoint", "x-ai-eg-model"]
    assert spec["connection"] == {"bufferLimit": "50Mi"}
