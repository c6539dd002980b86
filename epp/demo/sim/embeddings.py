"""Embeddings: short vectors, the same for the same text."""

from __future__ import annotations

import base64
import struct
from typing import Any, Literal

import msgspec

from epp.demo.sim.problem import Problem
from epp.demo.sim.tokens import TOKEN_BYTES, encode, fingerprint

_BITS = 64


class _Embeddings(msgspec.Struct):
    input: str | list[str]
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"


def embed(body: bytes, model: str) -> dict[str, Any] | Problem:
    """Answer the body of /v1/embeddings."""
    try:
        asked = msgspec.json.decode(body, type=_Embeddings)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Problem(400, str(error))
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    contents = [encode(text) for text in texts]
    data = [
        {"object": "embedding", "index": i, "embedding": _vector(content, asked.encoding_format)}
        for i, content in enumerate(contents)
    ]
    tokens = sum(len(content) for content in contents) // TOKEN_BYTES
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": asked.model or model, "usage": usage}


def _vector(content: bytes, encoding: str) -> list[float] | str:
    """Return 1 or -1 for each bit of the text's sum."""
    number = fingerprint(content, seed=0)
    vector = [1.0 if number >> bit & 1 else -1.0 for bit in range(_BITS)]
    if encoding == "float":
        return vector
    return base64.b64encode(struct.pack(f"<{_BITS}f", *vector)).decode()
