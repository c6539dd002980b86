"""What each engine calls its metrics."""

from __future__ import annotations

from typing import Literal

import msgspec


class Metric(msgspec.Struct, frozen=True):
    """One number of a page.

    `where` selects among the series of the name; `label` is for the metrics that carry the number
    in a label, with a constant as their value.
    """

    name: str
    where: tuple[str, str] | None = None
    label: str = ""


class Engine(msgspec.Struct, frozen=True):
    """The metrics of one engine. None: it has no such metric.

    `kv_cache_usage_of` says what the use of several caches amounts to. "mean": the caches belong
    to data-parallel engines; the server spreads the work over them itself, and use times blocks
    remains the number of used blocks. "max": the caches belong to different models, and room in
    one does not help a request for another.
    """

    waiting: Metric
    running: Metric | None
    kv_cache_usage: Metric | None = None
    kv_cache_usage_of: Literal["mean", "max"] = "mean"
    loras: Metric | None = None
    block_size: Metric | None = None
    blocks: Metric | None = None


ENGINES: dict[str, Engine] = {
    "vllm": Engine(
        waiting=Metric("vllm:num_requests_waiting"),
        running=Metric("vllm:num_requests_running"),
        kv_cache_usage=Metric("vllm:kv_cache_usage_perc"),
        loras=Metric("vllm:lora_requests_info"),
        block_size=Metric("vllm:cache_config_info", label="block_size"),
        blocks=Metric("vllm:cache_config_info", label="num_gpu_blocks"),
    ),
    "sglang": Engine(
        waiting=Metric("sglang:num_queue_reqs"),
        running=Metric("sglang:num_running_reqs"),
        kv_cache_usage=Metric("sglang:token_usage"),
        block_size=Metric("sglang:cache_config_info", label="page_size"),
        blocks=Metric("sglang:cache_config_info", label="num_pages"),
    ),
    "trtllm-serve": Engine(
        waiting=Metric("trtllm_num_requests_waiting"),
        running=Metric("trtllm_num_requests_running"),
        kv_cache_usage=Metric("trtllm_kv_cache_utilization"),
        block_size=Metric("trtllm_kv_cache_tokens_per_block"),
        blocks=Metric("trtllm_kv_cache_max_blocks"),
    ),
    "triton-tensorrt-llm": Engine(
        waiting=Metric("nv_trt_llm_request_metrics", where=("request_type", "waiting")),
        running=Metric("nv_trt_llm_request_metrics", where=("request_type", "scheduled")),
        kv_cache_usage=Metric(
            "nv_trt_llm_kv_cache_block_metrics", where=("kv_cache_block_type", "fraction")
        ),
        kv_cache_usage_of="max",
        block_size=Metric(
            "nv_trt_llm_kv_cache_block_metrics", where=("kv_cache_block_type", "tokens_per")
        ),
        blocks=Metric("nv_trt_llm_kv_cache_block_metrics", where=("kv_cache_block_type", "max")),
    ),
    # Plain Triton has no gauge of what runs now. nv_inference_exec_count, which other pickers
    # read as one, counts every execution since the start: the oldest server would look busiest.
    "triton": Engine(waiting=Metric("nv_inference_pending_request_count"), running=None),
}
