from __future__ import annotations

import pytest

from epp.pool.load import Load
from epp.scrape.engines import ENGINES
from epp.scrape.page import PageReader

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
}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_is_read(engine: str) -> None:
    told = Load(5.0, waiting=2, running=3, kv_cache_usage=0.25, block_size=16, blocks=1000)
    if engine == "triton":
        told = Load(5.0, waiting=2)
    assert PageReader(ENGINES[engine]).read(PAGES[engine], 5.0) == told


@pytest.mark.parametrize(("engine", "usage"), [("sglang", 0.5), ("triton-tensorrt-llm", 0.75)])
def test_several_caches_are_one_or_the_fullest(engine: str, usage: float) -> None:
    metric = ENGINES[engine].kv_cache_usage
    assert metric is not None
    where = f'{metric.where[0]}="{metric.where[1]}",' if metric.where else ""
    page = "".join(f'{metric.name}{{{where}n="{use}"}} {use}\n' for use in (0.25, 0.75))
    assert PageReader(ENGINES[engine]).read(page.encode(), 0.0).kv_cache_usage == usage
