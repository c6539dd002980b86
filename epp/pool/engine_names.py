"""What the kinds of model servers are called."""

from __future__ import annotations

AUTO = "auto"  # found out by asking the server
NONE = "none"  # never asked: only what the picker itself knows counts

ENGINE_NAMES = (
    AUTO,
    "vllm",
    "sglang",
    "trtllm-serve",
    "triton-tensorrt-llm",
    "triton",
    "tgi",
    "lmdeploy",
    "llama.cpp",
    "ollama",
    NONE,
)
