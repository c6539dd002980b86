from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families as parse

from epp.demo.sim.adapters import KEPT, AdapterHistory
from epp.demo.sim.job import Job
from epp.demo.sim.page import Page


def using(*adapters: str) -> list[Job]:
    return [Job(bytearray(b"word"), 1, 1, 0.0, adapter=adapter) for adapter in adapters]


def written(history: AdapterHistory) -> list[tuple[dict[str, str], float]]:
    page = Page("tiny")
    history.write(page)
    (family,) = parse(page.text())
    assert family.name == "vllm:lora_requests_info"
    return [(sample.labels, sample.value) for sample in family.samples]


def series(running: str, waiting: str) -> dict[str, str]:
    return {
        "max_lora": "2",
        "running_lora_adapters": running,
        "waiting_lora_adapters": waiting,
    }


def test_adapters_are_named_once_and_the_model_itself_is_none() -> None:
    history = AdapterHistory(2)
    history.see(using("b", "a", "", "b"), using("c", ""), now=1.0)
    assert written(history) == [(series("a,b", "c"), 1.0)]


def test_old_combinations_stay_and_the_newest_has_the_latest_time() -> None:
    history = AdapterHistory(2)
    history.see(using("a"), [], now=1.0)
    history.see([], [], now=2.0)
    history.see(using("a"), [], now=3.0)
    assert written(history) == [(series("", ""), 2.0), (series("a", ""), 3.0)]


def test_the_oldest_combinations_are_forgotten() -> None:
    history = AdapterHistory(2)
    for number in range(KEPT + 1):
        history.see(using(f"a{number}"), [], now=number)
    assert [value for _, value in written(history)] == [float(n) for n in range(1, KEPT + 1)]
