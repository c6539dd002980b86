from __future__ import annotations

import pytest

from epp.pool.engine_names import AUTO, ENGINE_NAMES, NONE
from epp.pool.load import Load
from epp.scrape.engines import ENGINES, Engine, Metric, of_page
from epp.scrape.page import PageReader
from tests.scrape.pages import llama_cpp, real

PAGES = {
    "vllm": b"""\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 9.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
# TYPE vllm:cache_config_info gauge
vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="1000",num_cpu_blocks="7"} 1.0
""",
    "sglang": b"""\
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{model_name="m"} 3.0
# TYPE sglang:token_usage gauge
sglang:token_usage{model_name="m"} 0.25
# TYPE sglang:num_queue_reqs gauge
sglang:num_queue_reqs{model_name="m"} 2.0
# TYPE sglang:cache_config_info gauge
sglang:cache_config_info{num_pages="1000",page_size="16"} 1.0
""",
    "trtllm-serve": b"""\
# TYPE trtllm_kv_cache_utilization gauge
trtllm_kv_cache_utilization{model_name="m"} 0.25
# TYPE trtllm_kv_cache_tokens_per_block gauge
trtllm_kv_cache_tokens_per_block{model_name="m"} 16
# TYPE trtllm_kv_cache_max_blocks gauge
trtllm_kv_cache_max_blocks{model_name="m"} 1000
# TYPE trtllm_num_requests_running gauge
trtllm_num_requests_running{model_name="m"} 3
# TYPE trtllm_num_requests_waiting gauge
trtllm_num_requests_waiting{model_name="m"} 2
""",
    "triton-tensorrt-llm": b"""\
# HELP nv_trt_llm_request_metrics TRT LLM request metrics
# TYPE nv_trt_llm_request_metrics gauge
nv_trt_llm_request_metrics{model="m",request_type="waiting",version="1"} 2
nv_trt_llm_request_metrics{model="m",request_type="context",version="1"} 50
nv_trt_llm_request_metrics{model="m",request_type="scheduled",version="1"} 3
nv_trt_llm_request_metrics{model="m",request_type="max",version="1"} 512
# HELP nv_trt_llm_kv_cache_block_metrics TRT LLM KV cache block metrics
# TYPE nv_trt_llm_kv_cache_block_metrics gauge
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="m",version="1"} 0.25
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="tokens_per",model="m",version="1"} 16
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="used",model="m",version="1"} 250
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="m",version="1"} 1000
""",
    "triton": b"""\
# TYPE nv_inference_exec_count counter
nv_inference_exec_count{model="m",version="1"} 70000
# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{model="m",version="1"} 2
""",
    "tgi": b"""\
# TYPE tgi_request_count counter
tgi_request_count 9
# TYPE tgi_batch_current_max_tokens gauge
tgi_batch_current_max_tokens 2048
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size 3
# TYPE tgi_queue_size gauge
tgi_queue_size 2
""",
    "lmdeploy": b"""\
# TYPE lmdeploy:backend_config_info gauge
lmdeploy:backend_config_info{dtype="auto"} 1.0
# TYPE lmdeploy:num_requests_unfinished gauge
lmdeploy:num_requests_unfinished{engine="0",model_name="m"} 5.0
# TYPE lmdeploy:num_requests_running gauge
lmdeploy:num_requests_running{engine="0",model_name="m"} 3.0
# TYPE lmdeploy:num_requests_waiting gauge
lmdeploy:num_requests_waiting{engine="0",model_name="m"} 2.0
# TYPE lmdeploy:gpu_cache_usage_perc gauge
lmdeploy:gpu_cache_usage_perc{engine="0",model_name="m"} 0.25
""",
    "llama.cpp": b"""\
# TYPE llamacpp:kv_cache_usage_ratio gauge
llamacpp:kv_cache_usage_ratio 0.25
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 3
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 2
""",
}
TELL_LESS = {
    "triton": Load(5.0, waiting=2),
    "tgi": Load(5.0, waiting=2, running=3),
    "lmdeploy": Load(5.0, waiting=2, running=3, kv_cache_usage=0.25),
    "llama.cpp": Load(5.0, waiting=2, running=3, kv_cache_usage=0.25),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_is_read(engine: str) -> None:
    told = Load(5.0, waiting=2, running=3, kv_cache_usage=0.25, block_size=16, blocks=1000)
    assert PageReader(ENGINES[engine]).read(PAGES[engine], 5.0) == TELL_LESS.get(engine, told)


@pytest.mark.parametrize(("state", "told"), [("idle", (0, 0)), ("busy", (3, 1))])
def test_the_pages_of_a_real_llama_cpp_are_read(state: str, told: tuple[int, int]) -> None:
    load = PageReader(ENGINES["llama.cpp"]).read(llama_cpp(f"metrics-{state}.txt"), 5.0)
    assert load == Load(5.0, *told)


def test_every_name_stands_for_a_way_of_reading() -> None:
    assert set(ENGINE_NAMES) == {*ENGINES, AUTO, "ollama", NONE}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_page_tells_whose_it_is(engine: str) -> None:
    assert of_page(PAGES[engine], ENGINES) == engine


@pytest.mark.parametrize("state", ["idle", "busy", "queued"])
def test_a_real_page_tells_that_it_is_vllms(state: str) -> None:
    assert of_page(real(state), ENGINES) == "vllm"


@pytest.mark.parametrize(
    "page",
    [b"", b"<!DOCTYPE html>\n<html></html>", b"python_gc_objects_collected_total 3\n", b"\x00\xff"],
)
def test_a_page_of_nobody_is_nobodys(page: bytes) -> None:
    assert of_page(page, ENGINES) is None


def test_an_engine_without_a_prefix_is_known_by_its_names() -> None:
    own = {"own": Engine(waiting=Metric("jobs"), running=Metric("busy"))}
    assert of_page(b"# TYPE x gauge\nbusy 3\n", own) == "own"
    assert of_page(b'jobs{queue="a"} 3\n', own) == "own"
    assert of_page(b"busybody 3\njobs_total 4\n", own) is None


def test_a_metric_may_be_selected_by_several_labels_and_scaled() -> None:
    wanted = (("queue", "main"), ("state", "waiting"))
    own = Engine(waiting=Metric("jobs", where=wanted), kv_cache_usage=Metric("mem", scale=0.01))
    page = b"""\
jobs{queue="main",state="waiting",pod="a"} 4
jobs{queue="main",state="done",pod="a"} 9
jobs{queue="other",state="waiting",pod="a"} 8
mem 25
"""
    assert PageReader(own).read(page, 0.0) == Load(0.0, waiting=4, kv_cache_usage=0.25)


@pytest.mark.parametrize(("engine", "usage"), [("sglang", 0.5), ("triton-tensorrt-llm", 0.75)])
def test_several_caches_are_one_or_the_fullest(engine: str, usage: float) -> None:
    metric = ENGINES[engine].kv_cache_usage
    assert metric is not None
    where = "".join(f'{label}="{value}",' for label, value in metric.where)
    page = "".join(f'{metric.name}{{{where}n="{use}"}} {use}\n' for use in (0.25, 0.75))
    assert PageReader(ENGINES[engine]).read(page.encode(), 0.0).kv_cache_usage == usage
