from __future__ import annotations

import pytest

from epp.manifests.render.error import ClusterError
from epp.manifests.render.load import load

MODEL = """\
ai_gateway_self_hosted_models:
  - name: llama
    pool_name: llama
    port: 8000
"""


def refused(text: str) -> list[str]:
    with pytest.raises(ClusterError) as refusal:
        load(text.encode(), "c")
    return str(refusal.value).splitlines()


@pytest.mark.parametrize(
    "more",
    [
        "namespace: Models",
        "namespace: a.b",
        "port: 0",
        "port: 65536",
        "pool_name: Llama_3",
        "pool_name: " + "a" * 60,
        "name: ''",
        'name: "a\\nb"',
        "replicas: 0",
        "replicas: 1000",
        "request_timeout: '60'",
        "request_timeout: forever",
        "buffer_limit: 50MB",
        "buffer_limit: 0Mi",
        "max_requests: 0",
        "picker_image: 'a b'",
        "match_labels: {app: 'a b'}",
        "match_labels: {'a b': app}",
        "match_labels: {app: -}",
    ],
)
def test_what_kubernetes_would_refuse_is_refused_on_its_line(more: str) -> None:
    name = more.partition(":")[0]
    fields = ["name: llama", "pool_name: llama", "port: 8000"]
    fields = [field for field in fields if not field.startswith(f"{name}:")] + [more]
    text = "\n    ".join(["ai_gateway_self_hosted_models:\n  -", *fields])
    (line,) = refused(text)
    assert line.startswith(f"c:{len(text.splitlines())}: {name}: ")


@pytest.mark.parametrize(
    "option",
    [
        "ai_gateway_name: A",
        "ai_gateway_inference_pool_namespace: a.b",
        "ai_gateway_gateway_namespace: A",
        "ai_gateway_picker_image: ''",
    ],
)
def test_options_of_all_pools_are_checked(option: str) -> None:
    (line,) = refused(f"{option}\n{MODEL}")
    assert line.startswith(f"c:1: {option.partition(':')[0]}")


def test_pools_that_are_enabled_need_a_model() -> None:
    (line,) = refused("ai_gateway_inference_pool_enabled: true\n")
    assert line == "c:1: pools are enabled, but ai_gateway_self_hosted_models names no model"


def test_a_model_is_there_once() -> None:
    text = MODEL + "  - name: llama\n    pool_name: other\n    port: 8000\n"
    assert refused(text) == ['c:5: name: "llama" is on line 2 already']


def test_models_of_one_pool_agree_on_it() -> None:
    text = MODEL + "  - name: lora\n    pool_name: llama\n    port: 8001\n    namespace: default\n"
    assert refused(text) == [
        'c:7: port: not as for "llama", which has the same pool llama',
    ]


def test_pools_of_two_namespaces_may_have_one_name() -> None:
    text = MODEL + "  - name: lora\n    pool_name: llama\n    port: 8001\n    namespace: other\n"
    assert len(load(text.encode(), "c").options.ai_gateway_self_hosted_models) == 2
