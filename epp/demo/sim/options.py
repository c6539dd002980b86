"""What a simulated server is told at its start."""

from __future__ import annotations

import msgspec

from epp.demo.sim.cost import H100_8B, Coefficients
from epp.demo.sim.dialect import Dialect
from epp.demo.sim.engine import Limits
from epp.demo.sim.faults import Faults


class SimOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One replica. Names are vLLM's where vLLM has the option."""

    host: str = "127.0.0.1"
    port: int = 8000  # 0: any free port
    engine: Dialect = "vllm"  # whose pages it shows; how it works is vLLM's always
    name: str = ""  # value of the header x-served-by; the address if empty
    served_model_name: tuple[str, ...] = ("meta-llama/Llama-3.1-8B-Instruct",)
    max_loaded_models: int = 0  # in memory at a time, as in Ollama; 0: all that it serves
    model_load_s: float = 0.0  # until a model is in memory that was not
    loras: tuple[str, ...] = ()  # adapters, each also a model name
    max_num_seqs: int = 256  # requests in a batch
    max_num_batched_tokens: int = 8192  # tokens in a step
    num_gpu_blocks: int = 26_312  # an 80 GB card behind an 8B model: 421,000 tokens
    block_size: int = 16
    max_model_len: int = 131_072  # never more than fits into the blocks
    speed: float = 1.0  # of the hardware: 0.5 takes twice as long for every step
    time_scale: float = 1.0  # of the clock: 10 plays ten simulated seconds in a real one
    background_rps: float = 0.0  # requests that the replica makes up for itself, per second
    seed: int = 0
    kv_events_endpoint: str = ""  # of ZeroMQ, bound if it has a *; empty: none are published
    kv_events_replay_endpoint: str = ""
    faults: Faults = Faults()
    cost: Coefficients = H100_8B

    def __post_init__(self) -> None:
        if not self.served_model_name:
            raise ValueError("served_model_name: at least one name is needed")
        for field in (
            "max_num_seqs",
            "max_num_batched_tokens",
            "num_gpu_blocks",
            "block_size",
            "max_model_len",
        ):
            if getattr(self, field) < 1:
                raise ValueError(f"{field}: must be at least 1")
        for field in ("speed", "time_scale"):
            if getattr(self, field) <= 0:
                raise ValueError(f"{field}: must be above 0")
        for field in ("background_rps", "max_loaded_models", "model_load_s"):
            if getattr(self, field) < 0:
                raise ValueError(f"{field}: must not be negative")

    @property
    def limits(self) -> Limits:
        """What the engine gets of this."""
        return Limits(
            self.num_gpu_blocks, self.block_size, self.max_num_seqs, self.max_num_batched_tokens
        )

    @property
    def context_length(self) -> int:
        """Tokens of prompt and answer that the server takes."""
        return min(self.max_model_len, self.limits.kv_tokens)
