"""The page /metrics, with vLLM's names and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from epp.demo.sim.engine import Engine
from epp.demo.sim.histogram import Histogram
from epp.demo.sim.meter import Meter

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REASONS = ("stop", "length", "abort", "error", "repetition")
GARBAGE = (
    b"<html>\x00\xff\xfe# TYPE vllm:num_requests_waiting histogram\n"
    b'vllm:num_requests_waiting{engine="0",model_name="} 7\n'
    b'vllm:num_requests_waiting{engine="0"} -1\nvllm:num_requests_running{engine="0"} many\n'
    b'vllm:kv_cache_usage_perc{engine="0"} NaN\nvllm:kv_cache_usage_perc 1e999\n'
    b'vllm:cache_config_info{block_size="-16",num_gpu_blocks="None"'
)

Series = tuple[Mapping[str, str], float]


class Page:
    """Writes the text format; what it counts has the model's and the engine's label."""

    def __init__(self, model_name: str) -> None:
        self._lines: list[str] = []
        self._labels = {"engine": "0", "model_name": model_name}

    def text(self) -> str:
        """Return what was written."""
        return "\n".join(self._lines) + "\n"

    def family(self, kind: str, name: str, says: str, series: Iterable[Series]) -> None:
        """Write a family whose series have labels of their own."""
        self._lines += (f"# HELP vllm:{name} {says}", f"# TYPE vllm:{name} {kind}")
        self._lines += (f"vllm:{name}{_braces(labels)} {value!r}" for labels, value in series)

    def gauge(self, name: str, says: str, value: float) -> None:
        """Write one value that goes up and down."""
        self.family("gauge", name, says, [(self._labels, float(value))])

    def counter(self, name: str, says: str, value: float) -> None:
        """Write one value that grows."""
        self.family("counter", f"{name}_total", says, [(self._labels, float(value))])

    def split(self, kind: str, name: str, says: str, label: str, by: Mapping[str, float]) -> None:
        """Write one value for each value of a label."""
        series = [({**self._labels, label: key}, float(value)) for key, value in by.items()]
        self.family(kind, name, says, series)

    def histogram(self, name: str, says: str, histogram: Histogram) -> None:
        """Write buckets, count and sum."""
        self.family("histogram", name, says, ())
        engine, model = (f'{key}="{_escaped(value)}"' for key, value in self._labels.items())
        self._lines += (
            f'vllm:{name}_bucket{{{engine},le="{_bound(bound)}",{model}}} {float(count)!r}'
            for bound, count in histogram.buckets()
        )
        self._lines += (
            f"vllm:{name}_count{{{engine},{model}}} {float(histogram.count)!r}",
            f"vllm:{name}_sum{{{engine},{model}}} {float(histogram.sum)!r}",
        )


def _braces(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return f"{{{inner}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else repr(float(bound))


def write_engine(page: Page, engine: Engine) -> None:
    """Write what the engine is doing now."""
    waiting = len(engine.waiting)
    page.gauge("num_requests_running", "Requests in the batch.", len(engine.running))
    page.gauge("num_requests_waiting", "Requests in the queue.", waiting)
    page.split(
        "gauge",
        "num_requests_waiting_by_reason",
        "The same, by what they wait for.",
        "reason",
        {"capacity": waiting, "deferred": 0},
    )
    page.gauge("kv_cache_usage_perc", "Share of KV blocks in use, 1 is full.", engine.kv_usage)
    config = {
        "block_size": str(engine.limits.block_size),
        "cache_dtype": "auto",
        "enable_prefix_caching": "True",
        "engine": "0",
        "kv_cache_size_tokens": str(engine.limits.kv_tokens),
        "num_gpu_blocks": str(engine.limits.num_gpu_blocks),
    }
    page.family("gauge", "cache_config_info", "KV memory as configured.", [(config, 1.0)])


def write_meter(page: Page, meter: Meter) -> None:
    """Write what the engine has done since the start."""
    page.counter("prefix_cache_queries", "Prompt tokens looked up.", meter.queried_tokens)
    page.counter("prefix_cache_hits", "Prompt tokens found.", meter.hit_tokens)
    page.counter("num_preemptions", "Requests that had to start over.", meter.preemptions)
    page.counter("prompt_tokens", "Prompt tokens processed.", meter.prompt_tokens)
    page.counter("generation_tokens", "Tokens generated.", meter.generation_tokens)
    ended = {reason: meter.ended[reason] for reason in REASONS}
    page.split("counter", "request_success_total", "Requests ended.", "finished_reason", ended)
    page.histogram("iteration_tokens_total", "Tokens in a step.", meter.step_tokens)
    page.histogram("request_prompt_tokens", "Prompt length.", meter.request_prompt_tokens)
    page.histogram("request_generation_tokens", "Answer length.", meter.request_generation_tokens)
    page.histogram("time_to_first_token_seconds", "Arrival to first token.", meter.first_token_s)
    page.histogram("inter_token_latency_seconds", "Token to token.", meter.between_tokens_s)
    page.histogram("request_time_per_output_token_seconds", "Their mean.", meter.per_token_s)
    page.histogram("e2e_request_latency_seconds", "Arrival to last token.", meter.request_s)
    page.histogram("request_queue_time_seconds", "Arrival to admission.", meter.queue_s)
