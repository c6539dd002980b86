from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from epp.demo.sim.engine import Engine
from epp.demo.sim.meter import Meter
from epp.demo.sim.page import GARBAGE, Page, write_engine, write_meter
from tests.demo.sim.play import Play, engine, job

REAL = Path(__file__).parents[2] / "data" / "vllm-0.32.0" / "metrics-busy.txt"

Layout = dict[tuple[str, str], set[frozenset[str]]]


def written(engine: Engine, meter: Meter | None = None, model: str = "tiny") -> str:
    page = Page(model)
    write_engine(page, engine)
    write_meter(page, meter or Meter())
    return page.text()


def values(text: str) -> dict[str, float]:
    return {
        sample.name.removeprefix("vllm:"): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def layout(text: str) -> Layout:
    """Name and type of each series, and the sets of labels under which it is found."""
    found: Layout = {}
    for family in parse(text):
        for sample in family.samples:
            labels = found.setdefault((sample.name, family.type), set())
            labels.add(frozenset(sample.labels))
    return found


def bounds(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for family in parse(text):
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                found.setdefault(sample.name, []).append(sample.labels["le"])
    return found


def test_every_series_is_one_of_a_real_page_with_the_same_type_and_labels() -> None:
    ours, real = layout(written(engine())), layout(REAL.read_text())
    assert ours.keys() <= real.keys()
    info = ("vllm:cache_config_info", "gauge")
    assert {
        key: labels for key, labels in ours.items() if key != info and real[key] != labels
    } == {}
    (our_info,), (real_info,) = ours[info], real[info]
    assert our_info < real_info | {"engine"}


def test_lines_are_written_as_in_a_real_page() -> None:
    ours, real = written(engine()).splitlines(), REAL.read_text().splitlines()
    named = {line.rsplit(" ", 1)[0] for line in real}
    counted = {line.rsplit(" ", 1)[0] for line in ours if not line.startswith("# HELP")}
    strange = {line for line in counted - named if "cache_config_info{" not in line}
    assert {line for line in strange if "_tokens_bucket" not in line} == set()


def test_buckets_of_times_are_those_of_a_real_page() -> None:
    ours, real = bounds(written(engine())), bounds(REAL.read_text())
    seconds = [name for name in ours if name.endswith("_seconds_bucket")]
    assert len(seconds) == 5
    assert {name: ours[name] for name in seconds} == {name: real[name] for name in seconds}


def test_queues_and_memory_are_those_of_the_moment() -> None:
    play = Play(engine(blocks=20, seats=1), a=job("a" * 18, 2), b=job("b"), c=job("c"))
    play.step()
    found = values(written(play.engine))
    assert found["num_requests_running"] == 1
    assert found["num_requests_waiting"] == 2
    assert found["kv_cache_usage_perc"] == 0.25


def test_cache_configuration_is_in_labels() -> None:
    (info,) = [f for f in parse(written(engine(blocks=20))) if f.name == "vllm:cache_config_info"]
    labels = info.samples[0].labels
    assert (labels["block_size"], labels["num_gpu_blocks"]) == ("4", "20")


def test_counters_and_histograms_are_the_meters() -> None:
    meter, play = Meter(), Play(engine(), a=job("x" * 10, max_tokens=3))
    while (step := play.begin()) is not None:
        meter.started(step)
        meter.produced(play.engine.finish())
    found = values(written(play.engine, meter))
    assert found["prompt_tokens_total"] == 10
    assert found["generation_tokens_total"] == 3
    assert found["time_to_first_token_seconds_count"] == 1
    assert found["e2e_request_latency_seconds_sum"] == 3


@pytest.mark.parametrize("model", ['a"b', "a\\b", "a\nb", "org/model}"])
def test_a_strange_model_name_is_read_as_it_was_given(model: str) -> None:
    (running,) = [
        family
        for family in parse(written(engine(), model=model))
        if family.name == "vllm:num_requests_running"
    ]
    assert running.samples[0].labels == {"engine": "0", "model_name": model}


def test_garbage_is_garbage() -> None:
    with pytest.raises(UnicodeDecodeError):
        GARBAGE.decode()
    with pytest.raises(ValueError, match=r".*"):
        list(parse(GARBAGE.decode(errors="replace")))
