"""What each engine calls its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class Metric(msgspec.Struct, frozen=True):
    """One number of a page.

    `where` selects among the series of the name by their labels; `label` is for the metrics that
    carry the number in a label, with a constant as their value. What is read times `scale` is the
    number: 0.01 for a percentage.
    """

    name: str
    where: tuple[tuple[str, str], ...] = ()
    label: str = ""
    scale: float = 1.0


class Engine(msgspec.Struct, frozen=True):
    """The metrics of one engine. None: it has no such metric.

    `prefix` begins the names of its metrics and of no other engine's.

    `kv_cache_usage_of` says what the use of several caches amounts to. "mean": the caches belong
    to data-parallel engines; the server spreads the work over them itself, and use times blocks
    remains the number of used blocks. "max": the caches belong to different models, and room in
    one does not help a request for another.
    """

    waiting: Metric | None = None
    running: Metric | None = None
    kv_cache_usage: Metric | None = None
    kv_cache_usage_of: Literal["mean", "max"] = "mean"
    loras: Metric | None = None
    block_size: Metric | None = None
    blocks: Metric | None = None
    prefix: str = ""
    token_times: tuple[str, ...] = ()  # histograms of the seconds between tokens, the best first


ENGINES: dict[str, Engine] = {
    "vllm": Engine(
        prefix="vllm:",
        waiting=Metric("vllm:num_requests_waiting"),
        running=Metric("vllm:num_requests_running"),
        kv_cache_usage=Metric("vllm:kv_cache_usage_perc"),
        loras=Metric("vllm:lora_requests_info"),
        block_size=Metric("vllm:cache_config_info", label="block_size"),
        blocks=Metric("vllm:cache_config_info", label="num_gpu_blocks"),
        token_times=(
            "vllm:inter_token_latency_seconds",
            "vllm:time_per_output_token_seconds",  # its older name
        ),
    ),
    "sglang": Engine(
        prefix="sglang:",
        waiting=Metric("sglang:num_queue_reqs"),
        running=Metric("sglang:num_running_reqs"),
        kv_cache_usage=Metric("sglang:token_usage"),
        block_size=Metric("sglang:cache_config_info", label="page_size"),
        blocks=Metric("sglang:cache_config_info", label="num_pages"),
    ),
    "trtllm-serve": Engine(
        prefix="trtllm_",
        waiting=Metric("trtllm_num_requests_waiting"),
        running=Metric("trtllm_num_requests_running"),
        kv_cache_usage=Metric("trtllm_kv_cache_utilization"),
        block_size=Metric("trtllm_kv_cache_tokens_per_block"),
        blocks=Metric("trtllm_kv_cache_max_blocks"),
    ),
    "triton-tensorrt-llm": Engine(
        prefix="nv_trt_llm_",
        waiting=Metric("nv_trt_llm_request_metrics", where=(("request_type", "waiting"),)),
        running=Metric("nv_trt_llm_request_metrics", where=(("request_type", "scheduled"),)),
        kv_cache_usage=Metric(
            "nv_trt_llm_kv_cache_block_metrics", where=(("kv_cache_block_type", "fraction"),)
        ),
        kv_cache_usage_of="max",
        block_size=Metric(
            "nv_trt_llm_kv_cache_block_metrics", where=(("kv_cache_block_type", "tokens_per"),)
        ),
        blocks=Metric("nv_trt_llm_kv_cache_block_metrics", where=(("kv_cache_block_type", "max"),)),
    ),
    # Plain Triton has no gauge of what runs now. nv_inference_exec_count, which other pickers
    # read as one, counts every execution since the start: the oldest server would look busiest.
    "triton": Engine(prefix="nv_inference_", waiting=Metric("nv_inference_pending_request_count")),
    # It tells the size of its batch and of its queue, and of its memory nothing.
    "tgi": Engine(
        prefix="tgi_",
        waiting=Metric("tgi_queue_size"),
        running=Metric("tgi_batch_current_size"),
    ),
    "lmdeploy": Engine(
        prefix="lmdeploy:",
        waiting=Metric("lmdeploy:num_requests_waiting"),
        running=Metric("lmdeploy:num_requests_running"),
        kv_cache_usage=Metric("lmdeploy:gpu_cache_usage_perc"),
    ),
    # kv_cache_usage_ratio is on the pages of older versions only.
    "llama.cpp": Engine(
        prefix="llamacpp:",
        waiting=Metric("llamacpp:requests_deferred"),
        running=Metric("llamacpp:requests_processing"),
        kv_cache_usage=Metric("llamacpp:kv_cache_usage_ratio"),
    ),
}


def of_page(page: bytes, engines: Mapping[str, Engine]) -> str | None:
    """Return the first of `engines` that has a sample on `page`; None: it is no page of theirs."""
    for name, engine in engines.items():
        if any(_begins_a_line(page, mark.encode()) for mark in _marks(engine)):
            return name
    return None


def _marks(engine: Engine) -> tuple[str, ...]:
    if engine.prefix:
        return (engine.prefix,)
    metrics = (engine.waiting, engine.running, engine.kv_cache_usage)
    return tuple(metric.name + end for metric in metrics if metric for end in ("{", " "))


def _begins_a_line(page: bytes, mark: bytes) -> bool:
    return page.startswith(mark) or b"\n" + mark in page
