"""Completions: a prompt that no chat template touches."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from epp.openai import prompt
from epp.openai.body import ABSENT, Body, Scalar, asks_usage
from epp.openai.inputs import input_text, required_text
from epp.openai.invalid import Invalid


class CompletionBody(Body):
    """A prompt as text or token ids, or as embeddings of its own (vLLM)."""

    limits: ClassVar[tuple[str, ...]] = ("max_tokens",)

    prompt: msgspec.Raw = ABSENT
    prompt_embeds: msgspec.Raw = ABSENT
    max_tokens: Scalar = None
    stream_options: msgspec.Raw = ABSENT

    def text(self) -> str | Invalid:
        """Return the prompt; embeddings go before it, as in the server."""
        embeds = prompt.media("prompt_embeds", self.prompt_embeds)
        text = input_text("prompt", self.prompt)
        if isinstance(text, Invalid):
            return embeds or text
        return embeds + text

    def includes_usage(self) -> bool:
        """Look into the options of the stream."""
        return asks_usage(self.stream_options)


class SamplingParams(msgspec.Struct):
    """Of vLLM's sampling parameters, the one that says how long a request may take."""

    max_tokens: Scalar = None


class GenerateBody(Body):
    """Token ids in, token ids out (vLLM's `/inference/v1/generate`)."""

    token_ids: msgspec.Raw = ABSENT
    features: msgspec.Raw = ABSENT
    sampling_params: SamplingParams | None = None

    def text(self) -> str | Invalid:
        """Return the ids after the sum of the images that stand among them."""
        ids = input_text("token_ids", self.token_ids)
        return ids if isinstance(ids, Invalid) else prompt.media("features", self.features) + ids

    def output_limit(self) -> Scalar:
        """Return the limit of the sampling parameters."""
        return self.sampling_params.max_tokens if self.sampling_params else None


class ImageBody(Body):
    """A picture to draw."""

    prompt: str | None = None

    def text(self) -> str | Invalid:
        """Return what to draw."""
        return required_text("prompt", self.prompt)


class SpeechBody(Body):
    """A text to read aloud."""

    input: str | None = None

    def text(self) -> str | Invalid:
        """Return what to read."""
        return required_text("input", self.input)
