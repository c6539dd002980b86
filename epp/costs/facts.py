"""What a request comes to be charged for."""

from __future__ import annotations

import msgspec

from epp.openai.usage import Usage


class Facts(msgspec.Struct):
    """The variables of cost expressions, under AI Gateway's names."""

    model: str = ""  # as the client wrote it
    backend: str = ""  # the endpoint's address
    route_name: str = ""
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    reasoning_tokens: int = 0

    def count(self, usage: Usage | None, *, prompt_tokens: int, generated: int) -> None:
        """Take over what the server has told; where it has not yet, the picker's estimates."""
        told = usage or _NOTHING
        prompt = prompt_tokens if told.prompt_tokens is None else told.prompt_tokens
        output = generated if told.completion_tokens is None else told.completion_tokens
        self.input_tokens = prompt
        self.output_tokens = output
        self.total_tokens = prompt + output if told.total_tokens is None else told.total_tokens
        self.cached_input_tokens = told.cached_tokens or 0
        self.cache_creation_input_tokens = told.cache_creation_tokens or 0
        self.reasoning_tokens = told.reasoning_tokens or 0


_NOTHING = Usage()
