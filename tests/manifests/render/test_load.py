from __future__ import annotations

from pathlib import Path

import pytest

from epp.manifests.render.check import MODELS
from epp.manifests.render.error import ClusterError
from epp.manifests.render.load import OURS, Loaded, load, load_file

ONE = "ai_gateway_self_hosted_models: [{name: llama, pool_name: llama, port: 8000}]\n"


def loaded(text: str) -> Loaded:
    return load(text.encode(), "cluster.yaml")


def refused(text: str) -> list[str]:
    with pytest.raises(ClusterError) as refusal:
        loaded(text)
    return str(refusal.value).splitlines()


def test_three_options_of_a_model_are_enough() -> None:
    (model,) = loaded(ONE).options.ai_gateway_self_hosted_models
    assert (model.name, model.pool_name, model.port) == ("llama", "llama", 8000)
    assert (model.engine, model.replicas, model.processing_body_mode) == ("vllm", 2, "duplex")


def test_options_of_other_tools_are_ignored() -> None:
    assert loaded("cluster_name: x\nnodes: [{a: b}]\n" + ONE).ignored == ()


@pytest.mark.parametrize(
    "name",
    [
        "ai_gateway_enabled",
        "ai_gateway_version",
        "ai_gateway_namespace",
        "ai_gateway_addr",
        "ai_gateway_azure_deployments",
        "ai_gateway_ratelimit_enabled",
        "ai_gateway_ratelimit_default_limit",
        "ai_gateway_ratelimit_redis_url",
        "ai_gateway_mcp_enabled",
        "ai_gateway_mcp_servers",
        "ai_gateway_mcp_oauth_enabled",
        "ai_gateway_tracing_enabled",
    ],
)
def test_other_options_of_the_gateway_are_ignored_and_named(name: str) -> None:
    assert loaded(f"{name}: [anything]\n").ignored == (name,)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("ai_gateway_inference_pools_enabled", "ai_gateway_inference_pool_enabled"),
        ("ai_gateway_inferencepool_enabled", "ai_gateway_inference_pool_enabled"),
        ("ai_gateway_selfhosted_models", "ai_gateway_self_hosted_models"),
        ("ai_gateway_self_hosted_model", "ai_gateway_self_hosted_models"),
        ("ai_gatway_self_hosted_models", "ai_gateway_self_hosted_models"),
        ("AI_gateway_self_hosted_models", "ai_gateway_self_hosted_models"),
        ("ai_gateway_nam", "ai_gateway_name"),
        ("ai_gateway_picker_imge", "ai_gateway_picker_image"),
    ],
)
def test_a_slip_of_the_pen_is_named_with_what_was_meant(slip: str, meant: str) -> None:
    assert refused(f"a: b\n{slip}: 1\n") == [
        f'cluster.yaml:2: unknown option "{slip}"; did you mean "{meant}"?'
    ]


@pytest.mark.parametrize("name", sorted(OURS))
def test_no_option_of_ours_is_taken_for_a_slip(name: str) -> None:
    for line in refused(f"{name}: {{}}\n"):
        assert line.startswith(f"cluster.yaml:1: {name}: expected ")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = """\
ai_gateway_inference_pool_enabled: maybe
ai_gateway_self_hosted_models:
  - name: llama
    pool_name: llama
    port: "8000"
    engin: vllm
  - pool_name: qwen
    port: 8000
    engine: vlm
  - {name: gemma, pool_name: Gemma, port: 0}
"""
    assert refused(text) == [
        'cluster.yaml:1: ai_gateway_inference_pool_enabled: expected true or false, got "maybe"',
        f'cluster.yaml:5: {MODELS}[0].port: expected a whole number, got "8000"',
        'cluster.yaml:6: unknown field "engin" in ai_gateway_self_hosted_models[0]; did you mean '
        '"engine"?',
        'cluster.yaml:7: ai_gateway_self_hosted_models[1]: "name" is missing',
        'cluster.yaml:9: ai_gateway_self_hosted_models[1].engine: "vlm" is none of vllm, sglang, '
        "trtllm-serve, triton-tensorrt-llm, triton, tgi, lmdeploy, llama.cpp, ollama, none; "
        'did you mean "vllm"?',
        'cluster.yaml:10: pool_name: "Gemma" is no name of a pool: at most 59 of a-z, 0-9 and -, '
        "with none of - at the ends",
        "cluster.yaml:10: port: 0 is not from 1 to 65535",
    ]


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "ai_gateway_self_hosted_models: 7\n"])
def test_what_is_no_such_file_is_a_mistake_with_a_place(text: str) -> None:
    (line,) = refused(text)
    assert line.startswith("cluster.yaml:")


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"none\.yaml:1: cannot be read"):
        load_file(tmp_path / "none.yaml")
