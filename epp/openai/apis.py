"""Which API a path stands for, and how its body is read."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TypeAlias

import msgspec

from epp.openai.anthropic import MessagesBody
from epp.openai.body import Body
from epp.openai.chat import ChatBody, EmbeddingsBody, TokenizeBody
from epp.openai.completions import CompletionBody, GenerateBody, ImageBody, SpeechBody
from epp.openai.grpc_message import read_message
from epp.openai.invalid import Invalid
from epp.openai.json_policy import decode
from epp.openai.multipart import read_form
from epp.openai.ranking import RerankBody, ScoreBody
from epp.openai.responses import ConversationBody, ResponseBody
from epp.openai.strict.anthropic import CountTokensShape, MessagesShape
from epp.openai.strict.chat import ChatShape, EmbeddingsShape, TokenizeShape
from epp.openai.strict.responses import ConversationShape, ResponseShape
from epp.openai.strict.shape import Check, checker
from epp.openai.strict.texts import (
    CompletionShape,
    GenerateShape,
    ImageShape,
    RerankShape,
    ScoreShape,
    SpeechShape,
    check_form,
)

Reader: TypeAlias = Callable[[str, bytes], Body | Invalid]  # content type and body

OPENAI = "openai-parser"
ANTHROPIC = "anthropic-parser"
VLLM = "vllmhttp-parser"
VLLM_GRPC = "vllmgrpc-parser"
PASSTHROUGH = "passthrough-parser"
PARSERS = (OPENAI, ANTHROPIC, VLLM, VLLM_GRPC, PASSTHROUGH)


class Api(msgspec.Struct, frozen=True):
    """One row: paths that end in `suffix`, whatever stands before it."""

    suffix: str
    parser: str
    operation: str
    read: Reader
    check: Check | None = None  # of strict validation, which refuses more than what cannot be read

    def read_leniently(self, content_type: str, body: bytes) -> Body | Invalid:
        """Refuse what cannot be read, and a prompt that is missing."""
        return self.read(content_type, body)

    def read_strictly(self, content_type: str, body: bytes) -> Body | Invalid:
        """Refuse whatever the API does not know."""
        found = self.check(content_type, body) if self.check is not None else None
        return self.read(content_type, body) if found is None else found

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
    Api("chat/completions", OPENAI, "chat", _json(ChatBody), checker(ChatShape)),
    Api("chat/completions/render", OPENAI, "chat", _json(ChatBody), checker(ChatShape)),
    Api("completions", OPENAI, "completion", _json(CompletionBody), checker(CompletionShape)),
    Api(
        "completions/render", OPENAI, "completion", _json(CompletionBody), checker(CompletionShape)
    ),
    Api("responses", OPENAI, "responses", _json(ResponseBody), checker(ResponseShape)),
    Api(
        "responses/input_tokens",
        OPENAI,
        "responses_input_tokens",
        _json(ResponseBody),
        checker(ResponseShape),
    ),
    Api(
        "conversations",
        OPENAI,
        "conversations",
        _json(ConversationBody),
        checker(ConversationShape),
    ),
    Api("embeddings", OPENAI, "embeddings", _json(EmbeddingsBody), checker(EmbeddingsShape)),
    Api("images/generations", OPENAI, "image_generation", _json(ImageBody), checker(ImageShape)),
    Api("audio/speech", OPENAI, "speech", _json(SpeechBody), checker(SpeechShape)),
    Api("audio/transcriptions", OPENAI, "transcription", read_form, check_form),
    Api("audio/translations", OPENAI, "translation", read_form, check_form),
    Api("messages", ANTHROPIC, "messages", _json(MessagesBody), checker(MessagesShape)),
    Api(
        "messages/count_tokens",
        ANTHROPIC,
        "count_tokens",
        _read_what_can_be,
        checker(CountTokensShape),
    ),
    Api("rerank", VLLM, "rerank", _json(RerankBody), checker(RerankShape)),
    Api("score", VLLM, "score", _json(ScoreBody), checker(ScoreShape)),
    Api("tokenize", VLLM, "tokenize", _json(TokenizeBody), checker(TokenizeShape)),
    Api("inference/v1/generate", VLLM, "generate", _json(GenerateBody), checker(GenerateShape)),
    Api("vllm.grpc.engine.VllmEngine/Generate", VLLM_GRPC, "grpc_generate", read_message),
    Api("vllm.grpc.engine.VllmEngine/Embed", VLLM_GRPC, "grpc_embed", read_message),
    Api("", PASSTHROUGH, "passthrough", _unread),
)

Read: TypeAlias = Callable[[Api, str, bytes], Body | Invalid]  # one of an Api's ways to read

_BY_SUFFIX = {api.suffix: api for api in APIS}
_BY_USUAL_PATH = {f"/v1/{api.suffix}": api for api in APIS}
_LONGEST = max(api.suffix.count("/") + 1 for api in APIS)


def find_api(path: str, parsers: Container[str]) -> Api | None:
    """Return the row with the longest suffix of `path` among those of `parsers`."""
    usual = _BY_USUAL_PATH.get(path)
    if usual is not None and usual.parser in parsers:
        return usual
    segments = path.split("/")[-_LONGEST:]
    for first in range(len(segments) + 1):
        api = _BY_SUFFIX.get("/".join(segments[first:]))
        if api is not None and api.parser in parsers:
            return api
    return None


def parser_of(path: str) -> str:
    """Return whose API `path` is of, whichever parsers are on."""
    api = find_api(path.partition("?")[0].rstrip("/"), PARSERS)
    return PASSTHROUGH if api is None else api.parser
