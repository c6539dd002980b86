from __future__ import annotations

from epp.manifests.render.options import ClusterOptions
from epp.manifests.render.pool import pools_of
from tests.manifests.render.sample import model, pool


def test_the_pods_of_a_pool_are_labelled_with_its_name_unless_said_otherwise() -> None:
    assert pool().match_labels == {"app": "llama"}
    assert pool(model(match_labels={"a": "b"})).match_labels == {"a": "b"}


def test_models_with_one_pool_share_it_and_pools_keep_their_order() -> None:
    options = ClusterOptions(
        ai_gateway_self_hosted_models=(
            model("z", pool_name="z"),
            model("a"),
            model("b"),
            model("c", namespace="other"),
        )
    )
    assert [(p.namespace, p.name, p.models) for p in pools_of(options)] == [
        ("default", "z", ("z",)),
        ("default", "llama", ("a", "b")),
        ("other", "llama", ("c",)),
    ]


def test_a_buffered_pool_lets_its_picker_change_the_mode_unless_told_not_to() -> None:
    assert not pool().override
    assert pool(model(processing_body_mode="buffered")).override
    assert not pool(model(processing_body_mode="buffered", allow_mode_override=False)).override


def test_the_picker_drains_as_long_as_answers_may_take() -> None:
    assert pool(model(request_timeout="30m")).drain_s == 1800
    assert pool(model(request_timeout="0s")).drain_s == 300
    assert pool(model(request_timeout="500ms")).drain_s == 1


def test_every_picker_takes_the_longest_request_of_the_gateway() -> None:
    options = ClusterOptions(
        ai_gateway_self_hosted_models=(
            model("a", pool_name="a", buffer_limit="1Gi"),
            model("b", pool_name="b", buffer_limit="900Mi"),
        )
    )
    assert [p.request_limit_bytes for p in pools_of(options)] == [1 << 30, 1 << 30]
    assert {p.memory for p in pools_of(options)} == {"21Gi"}


def test_the_gateway_is_where_the_pools_are_unless_said_otherwise() -> None:
    assert pool(ai_gateway_inference_pool_namespace="a").gateway_namespace == "a"
    assert pool(ai_gateway_gateway_namespace="b").gateway_namespace == "b"


def test_a_model_may_have_a_picker_image_of_its_own() -> None:
    assert pool(ai_gateway_picker_image="x").image == "x"
    assert pool(model(picker_image="y"), ai_gateway_picker_image="x").image == "y"
