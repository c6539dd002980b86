from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from epp.pool.load import Load, LoraAdapters
from epp.scrape.engines import ENGINES
from epp.scrape.page import PageReader
from tests.scrape.pages import real, small

REAL = {
    "idle": Load(1.0, 0, 0, 0.0, None, 128, 2048),
    "busy": Load(1.0, 0, 6, 0.01172447484123107, None, 128, 2048),
    "queued": Load(1.0, 4, 2, 0.002931118710307823, None, 128, 2048),
}


def read(page: bytes, at: float = 1.0) -> Load:
    return PageReader(ENGINES["vllm"]).read(page, at)


@pytest.mark.parametrize("state", REAL)
def test_a_real_page_is_read(state: str) -> None:
    assert read(real(state)) == REAL[state]


@pytest.mark.parametrize("state", REAL)
def test_windows_line_ends_change_nothing(state: str) -> None:
    assert read(real(state).replace(b"\n", b"\r\n")) == REAL[state]


@pytest.mark.parametrize("state", REAL)
def test_a_reader_that_has_read_other_pages_reads_the_same(state: str) -> None:
    reader = PageReader(ENGINES["vllm"])
    for other in ("busy", "idle", "queued", "idle"):
        reader.read(real(other), 0.0)
        load = reader.read(real(state), 1.0)
        assert structs.replace(load, itl_s=None) == REAL[state]  # that one compares two pages


def test_what_several_engines_hold_adds_up_and_their_cache_use_is_averaged() -> None:
    page = b"""\
vllm:num_requests_running{engine="0"} 1.0
vllm:num_requests_running{engine="1"} 2.0
vllm:num_requests_waiting{engine="0"} 3.0
vllm:num_requests_waiting{engine="1"} 4.0
vllm:kv_cache_usage_perc{engine="0"} 0.2
vllm:kv_cache_usage_perc{engine="1"} 0.6
vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="100"} 1.0
vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="200"} 1.0
"""
    assert read(page) == Load(1.0, 7, 3, 0.4, None, 16, 300)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "1e308", "1000001", "garbage", ""])
def test_a_count_that_cannot_be_is_unknown(value: str) -> None:
    load = read(small(waiting=value, running=3, usage=0.5))
    assert load == Load(1.0, None, 3, 0.5)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-0.1", "1.02", "50", "1e308"])
def test_a_cache_use_that_cannot_be_is_unknown(value: str) -> None:
    assert read(small(waiting=1, running=3, usage=value)) == Load(1.0, 1, 3, None)


def test_a_cache_a_hair_more_than_full_is_full() -> None:
    assert read(small(usage=1.0000000002)).kv_cache_usage == 1.0


def test_one_bad_series_makes_the_sum_unknown() -> None:
    page = b'vllm:num_requests_waiting{engine="0"} 3\nvllm:num_requests_waiting{engine="1"} NaN\n'
    assert read(page).waiting is None


def test_a_cache_whose_blocks_are_not_known_yet_has_only_a_block_size() -> None:
    load = read(b'vllm:cache_config_info{block_size="16",num_gpu_blocks="None"} 1.0\n')
    assert (load.block_size, load.blocks) == (16, None)


def loras(running: str, waiting: str, written: object) -> bytes:
    labels = f'max_lora="4",running_lora_adapters="{running}",waiting_lora_adapters="{waiting}"'
    return f"vllm:lora_requests_info{{{labels}}} {written}\n".encode()


def test_the_adapters_are_those_of_the_series_written_last() -> None:
    page = loras("a", "", 1.7e9) + loras("a, b", "c", 1.8e9) + loras("", "", "NaN")
    adapters = LoraAdapters(frozenset("ab"), frozenset("c"), 4)
    assert read(page).loras == adapters
    assert read(loras("", "", 1.7e9)).loras == LoraAdapters(max_loaded=4)
    assert read(loras("a", "b", "NaN")).loras is None


def test_a_name_that_was_absent_is_looked_for_again_within_a_second() -> None:
    reader = PageReader(ENGINES["vllm"])
    reader.read(small(), 10.0)
    page = small() + loras("a", "", 1.7e9)
    assert reader.read(page, 10.5).loras is None
    assert reader.read(page, 11.0).loras == LoraAdapters(frozenset("a"), max_loaded=4)


def test_a_name_that_vanishes_is_unknown_at_once() -> None:
    reader = PageReader(ENGINES["vllm"])
    reader.read(small(waiting=3), 10.0)
    assert reader.read(b"", 10.1) == Load(10.1)


@given(st.binary(max_size=300), st.sampled_from(sorted(ENGINES)))
@settings(deadline=None)
def test_no_page_is_an_error(noise: bytes, engine: str) -> None:
    reader = PageReader(ENGINES[engine])
    reader.read(noise, 0.0)
    waiting = ENGINES[engine].waiting
    name = waiting.name.encode() if waiting else b""
    reader.read(name + noise + b"\n" + name + b"{" + noise, 2.0)


# --- against the parser of prometheus_client -------------------------------------------------

NAMES = [
    "vllm:num_requests_waiting",
    "vllm:num_requests_waiting_by_reason",
    "vllm:num_requests_running",
    "vllm:num_requests_running_created",
    "vllm:kv_cache_usage_perc",
    "vllm:lora_requests_info",
    "vllm:cache_config_info",
    "aaa",
]
LABELS = ["engine", "model_name", "block_size", "num_gpu_blocks", "max_lora"]
ADAPTERS = ["running_lora_adapters", "waiting_lora_adapters"]

numbers = st.one_of(
    st.integers(0, 50).map(str),
    st.floats(0, 1).map(repr),
    st.sampled_from(["NaN", "+Inf", "-Inf", "-1", "1e3", "1.5e+03", "1e308", "1.005", "0.0"]),
)
texts = st.text(st.sampled_from('ab01,{}"\\ #\nü='), max_size=8)
label_values = st.one_of(texts, st.integers(0, 300).map(str), st.just("None"))


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@st.composite
def series(draw: st.DrawFn, name: str) -> str:
    labels = draw(st.dictionaries(st.sampled_from(LABELS + ADAPTERS), label_values, max_size=4))
    inside = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
    braces = f"{{{inside}}}" if inside or draw(st.booleans()) else ""
    stamp = draw(st.sampled_from(["", " 1700000000000", " -5"]))
    return f"{name}{braces} {draw(numbers)}{stamp}"


@st.composite
def pages(draw: st.DrawFn) -> str:
    lines: list[str] = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        if draw(st.booleans()):
            lines.append(f"# HELP {name} Of {name} 5 and other things.")
        if draw(st.booleans()):
            lines.append(f"# TYPE {name} gauge")
        lines.extend(draw(st.lists(series(name), max_size=3)))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


def expected(page: str, at: float) -> Load:
    """Say what the page says, from a full parse."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for family in text_string_to_metric_families(page + "\n"):
        for sample in family.samples:
            found[sample.name].append(sample)
    caches = found["vllm:cache_config_info"]
    sizes = [labelled(cache, "block_size") for cache in caches]
    size = sizes[0] if sizes and 1 <= sizes[0] <= 1e6 else None
    usages = [sample.value for sample in found["vllm:kv_cache_usage_perc"]]
    good = bool(usages) and all(0 <= usage <= 1.01 for usage in usages)
    return Load(
        at,
        total([sample.value for sample in found["vllm:num_requests_waiting"]]),
        total([sample.value for sample in found["vllm:num_requests_running"]]),
        sum(min(1.0, usage) for usage in usages) / len(usages) if good else None,
        newest(found["vllm:lora_requests_info"]),
        None if size is None else int(size),
        total([labelled(cache, "num_gpu_blocks") for cache in caches]),
    )


def total(values: list[float]) -> int | None:
    if not values or not all(0 <= value <= 1e6 for value in values):
        return None
    return int(sum(values))


def labelled(sample: Sample, label: str) -> float:
    try:
        return float(sample.labels.get(label, ""))
    except ValueError:
        return math.nan


def newest(samples: list[Sample]) -> LoraAdapters | None:
    dated = [sample for sample in samples if sample.value >= 0]
    if not dated:
        return None
    labels = max(dated, key=lambda sample: sample.value).labels
    running, waiting = (
        frozenset(part.strip() for part in labels.get(name, "").split(",") if part.strip())
        for name in ADAPTERS
    )
    most = labelled(Sample("", labels, 0.0), "max_lora")
    return LoraAdapters(running, waiting, int(most) if 0 <= most <= 1e6 else 0)


@given(st.lists(pages(), min_size=1, max_size=3))
@settings(deadline=None)
@example(["# TYPE aaa gauge\nvllm:num_requests_waiting 1"])
def test_the_search_reads_what_a_full_parse_reads(contents: list[str]) -> None:
    reader = PageReader(ENGINES["vllm"])
    for second, page in enumerate(contents):
        assert reader.read(page.encode(), float(second)) == expected(page, float(second))


@pytest.mark.parametrize("state", REAL)
def test_a_full_parse_of_a_real_page_says_the_same(state: str) -> None:
    assert expected(real(state).decode(), 1.0) == REAL[state]
