from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from epp.discovery.inference_pool import Pool
from epp.discovery.membership import Membership
from epp.discovery.pods import Pod, PodRules, endpoints
from tests.discovery.cluster import pod

POOL = Pool("prod", "chat", selector={"app": "vllm"}, ports=(8000,))


def test_endpoints_are_in_the_order_of_the_pods_names() -> None:
    pods = {name: pod(name, f"10.0.0.{i}") for i, name in enumerate(["b", "c", "a"], 1)}
    found = Membership(PodRules()).update(POOL, pods)
    assert [e.name for e in found.endpoints] == ["a", "b", "c"]


def test_an_endpoint_that_stays_the_same_stays_the_same_object() -> None:
    membership = Membership(PodRules())
    first = membership.update(POOL, {"a": pod("a"), "b": pod("b", "10.0.0.2")}).endpoints
    again = pod("a", resourceVersion="2", annotations={"probed": "yes"})
    second = membership.update(POOL, {"a": again, "b": pod("b", "10.0.0.3")}).endpoints
    assert second[0] is first[0]
    assert second[1] is not first[1]
    assert "2 pods" in repr(membership)


def test_new_ports_are_new_endpoints() -> None:
    membership = Membership(PodRules())
    one = pod("a")
    membership.update(POOL, {"a": one})
    found = membership.update(structs.replace(POOL, ports=(9000,)), {"a": one})
    assert [e.address for e in found.endpoints] == ["10.0.0.1:9000"]


def test_of_complaints_that_are_alike_one_is_told() -> None:
    wrong = {"llm-d.ai/engine-type": "nothing"}
    pods = {name: pod(name, f"10.0.0.{i}", labels=wrong) for i, name in enumerate("cab", 1)}
    pods["d"] = pod("d", "nowhere")
    found = Membership(PodRules()).update(POOL, pods)
    assert [c.name for c in found.complaints] == ["prod/a", "prod/d"]


PODS = st.dictionaries(
    st.sampled_from("abcd"),
    st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2", "", "127.0.0.1"]), st.booleans()),
)
STEPS = st.lists(st.tuples(PODS, st.sampled_from([(8000,), (8000, 8001)])))


@given(STEPS)
def test_looking_only_at_changes_comes_to_the_same_as_looking_at_all(
    steps: list[tuple[dict[str, tuple[str, bool]], tuple[int, ...]]],
) -> None:
    membership = Membership(PodRules())
    kept: dict[str, Pod] = {}
    for wanted, ports in steps:
        pool = structs.replace(POOL, ports=ports)
        now = {name: pod(name, ip, ready=ready) for name, (ip, ready) in wanted.items()}
        kept = {name: kept[name] if kept.get(name) == one else one for name, one in now.items()}
        whole = [
            structs.astuple(endpoint)
            for name in sorted(kept)
            for endpoint in endpoints(pool, kept[name], PodRules()).endpoints
        ]
        assert [structs.astuple(e) for e in membership.update(pool, kept).endpoints] == whole
