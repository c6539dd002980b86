"""What `precise-prefix-cache-producer` is told, under llm-d's names where it has them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from epp.scheduling.producers.approx_prefix_cache import ApproxPrefixCacheProducer

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Duration = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?(ms|s)$")]
Count = Annotated[int, msgspec.Meta(ge=1)]


class PodDiscoveryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Ports of every model server; that of rank n is n higher, as in vLLM."""

    socket_port: Port = 5557
    replay_socket_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0  # 0: there is none


class KvEventsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Where events come from: each endpoint is connected to, or all connect to `zmqEndpoint`."""

    discover_pods: bool = True
    pod_discovery_config: PodDiscoveryConfig = PodDiscoveryConfig()
    zmq_endpoint: str = ""
    topic_filter: str = ""  # what topics begin with; the rest is an error that is shown
    engine_type: Literal["vllm", "sglang"] = "vllm"

    def __post_init__(self) -> None:
        if not self.discover_pods and not self.zmq_endpoint:
            raise ValueError("without discoverPods, zmqEndpoint must say where events come in")


class InMemoryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The index's size, in blocks of all endpoints together."""

    size: Count = 2_000_000


class KvBlockIndexConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Where the index is kept."""

    in_memory_config: InMemoryConfig = InMemoryConfig()


class IndexerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The index."""

    kv_block_index_config: KvBlockIndexConfig = KvBlockIndexConfig()


class Tokenization(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How prompts become tokens; a prompt that comes as token ids needs none of it.

    `server`: by the `/tokenize` of the server that got the request, or of `url`, beside the
    request and for those that come later. `tokenizerFile`: text that no chat template touches, by
    a `tokenizer.json`.
    """

    server: bool = True
    url: str = ""
    tokenizer_file: str = ""
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0.0, le=60.0)] = 2.0
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] = 4
    cache_bytes: Annotated[int, msgspec.Meta(ge=0)] = 64 * 1024 * 1024


class PreciseParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Where the events and the tokens come from, and what holds where they are missing."""

    kv_events_config: KvEventsConfig = KvEventsConfig()
    indexer_config: IndexerConfig = IndexerConfig()
    speculative_indexing: bool = False  # count on what a pick will leave, for speculativeTTL
    speculative_ttl: Duration = msgspec.field(default="2s", name="speculativeTTL")
    tokenization: Tokenization = Tokenization()
    approximate: ApproxPrefixCacheProducer.Parameters = ApproxPrefixCacheProducer.Parameters()

    @property
    def speculative_ttl_s(self) -> float:
        """How long a pick is counted on; 0: not at all."""
        if not self.speculative_indexing:
            return 0.0
        text = self.speculative_ttl
        return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])
