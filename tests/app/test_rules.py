from __future__ import annotations

from collections.abc import Callable

from epp.app.rules import ClusterRules
from epp.discovery.objectives import Objectives
from epp.discovery.rewrites import Rewrites
from epp.routing.split import Split


def unasked() -> str:
    raise AssertionError("nobody has to know the conversation")


def known_as(text: str) -> Callable[[], str]:
    return lambda: text


def test_a_pool_without_rewrites_is_asked_for_no_conversation() -> None:
    assert ClusterRules(Objectives(), Rewrites()).target("m", unasked) is None


def test_one_conversation_keeps_its_target_and_many_share_the_weights() -> None:
    rules = ClusterRules(Objectives(), Rewrites({"m": Split({"v1": 1, "v2": 3})}))
    conversations = [known_as(f"conversation {n}") for n in range(1000)]
    targets = [rules.target("m", conversation) for conversation in conversations]
    assert targets == [rules.target("m", conversation) for conversation in conversations]
    assert 650 < targets.count("v2") < 850


def test_priorities_are_those_of_the_objectives() -> None:
    rules = ClusterRules(Objectives({"batch": -1}), Rewrites())
    assert (rules.priority("batch"), rules.priority("other")) == (-1, 0)


def test_models_that_a_rewrite_names_are_known() -> None:
    rules = ClusterRules(Objectives(), Rewrites({"m": Split({"v1": 1})}))
    assert [rules.knows(model) for model in ("m", "v1", "x")] == [True, True, False]


def test_a_single_target_asks_for_no_conversation() -> None:
    rules = ClusterRules(Objectives(), Rewrites({"m": Split({"v1": 1})}))
    assert rules.target("m", unasked) == "v1"
