from __future__ import annotations

from typing import Any

import msgspec
import pytest

from epp.discovery.inference_pool import GROUP, Pool
from epp.discovery.rewrites import InferenceModelRewrite, Rewrites, rewrites
from epp.routing.split import Split

POOL = Pool("prod", "chat")


def conversation() -> str:
    return "a conversation"


def rewrite(
    *rules: dict[str, Any], name: str = "r", created: str = "2026-01-01T00:00:00Z"
) -> InferenceModelRewrite:
    meta = {"name": name, "namespace": "prod", "creationTimestamp": created}
    spec = {"poolRef": {"group": GROUP, "name": "chat"}, "rules": list(rules)}
    return msgspec.convert({"metadata": meta, "spec": spec}, InferenceModelRewrite)


def rule(*models: str, to: str | dict[str, int | None]) -> dict[str, Any]:
    targets = {to: None} if isinstance(to, str) else to
    return {
        "matches": [{"model": {"value": model}} for model in models],
        "targets": [{"modelRewrite": m, "weight": w} for m, w in targets.items()],
    }


def said(found: Rewrites) -> list[str]:
    return [f"{c.name}: {c.where}: {c.text}" for c in found.complaints]


def test_every_model_that_is_named_is_known() -> None:
    found = Rewrites({"a": Split({"b": 1, "c": 1})}, Split({"d": 1}))
    assert found.models == {"a", "b", "c", "d"}
    assert Rewrites().models == set()


def test_without_rewrites_a_model_stays() -> None:
    assert not Rewrites()
    assert Rewrites().target("m", conversation) is None


def test_a_model_is_rewritten_to_its_target() -> None:
    found = rewrites(POOL, [rewrite(rule("gpt", "gpt-4", to="llama"))])
    assert found
    assert [found.target(model, conversation) for model in ("gpt", "gpt-4", "gpt-5")] == [
        "llama",
        "llama",
        None,
    ]


def test_a_rule_without_matches_is_for_every_other_model() -> None:
    found = rewrites(POOL, [rewrite(rule(to="any"), rule("gpt", to="llama"))])
    assert (found.target("gpt", conversation), found.target("x", conversation)) == ("llama", "any")
    assert rewrites(POOL, [rewrite(rule(to="any"))])


def test_the_oldest_object_wins_then_the_name_then_the_first_rule() -> None:
    young = rewrite(rule("m", to="young"), rule(to="y"), name="a", created="2026-02-01T00:00:00Z")
    old = rewrite(rule("m", to="first"), rule("m", to="second"), rule(to="1"), rule(to="2"))
    assert rewrites(POOL, [young, old]).target("m", conversation) == "first"
    assert rewrites(POOL, [young, old]).target("x", conversation) == "1"
    as_old = rewrite(rule("m", to="by name"), name="a")
    assert rewrites(POOL, [old, as_old]).target("m", conversation) == "by name"


def test_a_rewrite_of_another_pool_is_none_of_ours() -> None:
    assert not rewrites(Pool("prod", "other"), [rewrite(rule("m", to="n"))])


@pytest.mark.parametrize(
    ("written", "target", "complaints"),
    [
        (
            rule("m", to={"a": None, "": 1}),
            "a",
            [
                "targets[0].weight: is missing, but other targets have one; it counts 1",
                "targets[1].modelRewrite: is not the name of a model; it is left out",
            ],
        ),
        (rule("m", to={"a": 0}), "a", ["targets[0].weight: 0 is not from 1 to 1000000"]),
        (
            rule("m", to="line\nbreak"),
            "fallback",
            [
                "targets[0].modelRewrite: is not the name of a model; it is left out",
                "targets: has no model; the rule is left out",
            ],
        ),
        (
            {**rule(to="a"), "matches": [{}, {"model": {"type": "Regex", "value": "m"}}]},
            "fallback",
            [
                "matches[0]: names no model exactly; it matches nothing",
                "matches[1]: names no model exactly; it matches nothing",
            ],
        ),
    ],
)
def test_what_a_rule_cannot_mean_is_told(
    written: dict[str, Any], target: str, complaints: list[str]
) -> None:
    found = rewrites(POOL, [rewrite(written, rule(to="fallback"))])
    assert found.target("m", conversation) == target
    assert said(found) == [f"prod/r: spec.rules[0].{complaint}" for complaint in complaints]


def test_a_target_that_is_there_twice_has_both_weights() -> None:
    weights = (("a", 3), ("b", 5), ("a", 4))
    targets = [{"modelRewrite": model, "weight": weight} for model, weight in weights]
    twice = {**rule("m", to="a"), "targets": targets}
    found = rewrites(POOL, [rewrite(twice)])
    assert found.exact["m"].weights == {"a": 7, "b": 5}


def test_targets_without_weights_share_evenly() -> None:
    found = rewrites(POOL, [rewrite(rule("m", to={"a": None, "b": None}))])
    assert found.exact["m"].weights == {"a": 1, "b": 1}
    assert found.complaints == ()
