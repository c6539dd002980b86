"""Which API a path stands for, and how its body is read."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TypeAlias

import msgspec

from epp.openai.anthropic import MessagesBody
from epp.openai.body import Body
from epp.openai.chat import ChatBody, EmbeddingsBody, TokenizeBody
from epp.openai.completions import CompletionBody, GenerateBody, ImageBody, SpeechBody
from epp.openai.invalid import Invalid
from epp.openai.json_policy import decode
from epp.openai.multipart import read_form
from epp.openai.ranking import RerankBody, ScoreBody
from epp.openai.responses import ConversationBody, ResponseBody

Reader: TypeAlias = Callable[[str, bytes], Body | Invalid]  # content type and body
Checker: TypeAlias = Callable[[str, bytes], Invalid | None]

OPENAI = "openai-parser"
ANTHROPIC = "anthropic-parser"
VLLM = "vllmhttp-parser"
PASSTHROUGH = "passthrough-parser"
PARSERS = (OPENAI, ANTHROPIC, VLLM, PASSTHROUGH)


class Api(msgspec.Struct, frozen=True):
    """One row: paths that end in `suffix`, whatever stands before it."""

    suffix: str
    parser: str
    operation: str
    read: Reader
    check: Checker | None = None  # what strict validation refuses beyond what cannot be read

    def read_leniently(self, content_type: str, body: bytes) -> Body | Invalid:
        """Refuse what cannot be read, and a prompt that is missing."""
        return self.read(content_type, body)

    def read_strictly(self, content_type: str, body: bytes) -> Body | Invalid:
        """Refuse whatever the API does not know."""
        wrong = self.check(content_type, body) if self.check is not None else None
        return wrong or self.read(content_type, body)

    def read_anyhow(self, content_type: str, body: bytes) -> Body:
        """Refuse nothing: what cannot be read has a model at most."""
        found = self.read(content_type, body)
        return _read_what_can_be(content_type, body) if isinstance(found, Invalid) else found


def _json(shape: type[Body]) -> Reader:
    decoder = msgspec.json.Decoder(shape)
    return lambda _content_type, body: decode(decoder, body)


def _unread(_content_type: str, _body: bytes) -> Body:
    return Body()


def _read_what_can_be(content_type: str, body: bytes) -> Body:
    """Look for the model, and leave it to the server to refuse the rest."""
    found = _model_only(content_type, body)
    return Body() if isinstance(found, Invalid) else found


_model_only = _json(Body)

APIS = (
    Api("chat/completions", OPENAI, "chat", _json(ChatBody)),
    Api("chat/completions/render", OPENAI, "chat", _json(ChatBody)),
    Api("completions", OPENAI, "completion", _json(CompletionBody)),
    Api("completions/render", OPENAI, "completion", _json(CompletionBody)),
    Api("responses", OPENAI, "responses", _json(ResponseBody)),
    Api("responses/input_tokens", OPENAI, "responses_input_tokens", _json(ResponseBody)),
    Api("conversations", OPENAI, "conversations", _json(ConversationBody)),
    Api("embeddings", OPENAI, "embeddings", _json(EmbeddingsBody)),
    Api("images/generations", OPENAI, "image_generation", _json(ImageBody)),
    Api("audio/speech", OPENAI, "speech", _json(SpeechBody)),
    Api("audio/transcriptions", OPENAI, "transcription", read_form),
    Api("audio/translations", OPENAI, "translation", read_form),
    Api("messages", ANTHROPIC, "messages", _json(MessagesBody)),
    Api("messages/count_tokens", ANTHROPIC, "count_tokens", _read_what_can_be),
    Api("rerank", VLLM, "rerank", _json(RerankBody)),
    Api("score", VLLM, "score", _json(ScoreBody)),
    Api("tokenize", VLLM, "tokenize", _json(TokenizeBody)),
    Api("inference/v1/generate", VLLM, "generate", _json(GenerateBody)),
    Api("", PASSTHROUGH, "passthrough", _unread),
)

Read: TypeAlias = Callable[[Api, str, bytes], Body | Invalid]  # one of an Api's ways to read

_BY_SUFFIX = {api.suffix: api for api in APIS}
_LONGEST = max(api.suffix.count("/") + 1 for api in APIS)


def find_api(path: str, parsers: Container[str]) -> Api | None:
    """Return the row with the longest suffix of `path` among those of `parsers`."""
    segments = path.split("/")[-_LONGEST:]
    for first in range(len(segments) + 1):
        api = _BY_SUFFIX.get("/".join(segments[first:]))
        if api is not None and api.parser in parsers:
            return api
    return None
