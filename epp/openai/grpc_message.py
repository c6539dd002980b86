"""vLLM's gRPC requests, `vllm.grpc.engine.VllmEngine`: one message in one frame.

Only the fields that choosing needs are looked at, by their numbers in vLLM's .proto file. The
requests have no model: a server of this kind has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from epp.openai import prompt
from epp.openai.body import Body
from epp.openai.invalid import Invalid

GRPC = "application/grpc"

_HEAD_BYTES = 5  # compressed or not, and the length
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_MOST_VARINT_BYTES = 10

# fields of GenerateRequest and EmbedRequest
_TOKENIZED, _TEXT, _SAMPLING_PARAMS, _STREAM, _MEDIA = 2, 3, 4, 5, 7
_INPUT_IDS = 2  # of TokenizedInput
_MAX_TOKENS = 8  # of SamplingParams

Value: TypeAlias = int | memoryview


class GrpcBody(Body):
    """A message, as far as it was looked at."""

    media: str = ""
    words: str = ""
    max_tokens: int | None = None

    def text(self) -> str:
        """Return the prompt after the sum of the pictures that stand in it."""
        return self.media + self.words

    def output_limit(self) -> int | None:
        """Return the limit of the sampling parameters."""
        return self.max_tokens


def read_message(content_type: str, body: bytes) -> GrpcBody | Invalid:
    """Read the message in `body`. One that is compressed is not read, and routed all the same."""
    found = GrpcBody()
    if not content_type.lower().startswith(GRPC) or body[:1] == b"\x01":
        return found
    length = int.from_bytes(body[1:_HEAD_BYTES])
    if body[:1] != b"\x00" or len(body) != _HEAD_BYTES + length:
        return _malformed("the frame is not complete")
    try:
        for number, value in _fields(memoryview(body)[_HEAD_BYTES:]):
            _take(found, number, value)
    except ValueError:
        return _malformed("it is not a protobuf message")
    return found


def _take(found: GrpcBody, number: int, value: Value) -> None:
    if isinstance(value, int):
        if number == _STREAM:
            found.stream = value != 0
    elif number == _TEXT:
        found.words = prompt.plain(str(value, "utf-8"))
    elif number == _TOKENIZED:
        found.words = prompt.packed_ids(_bytes(value, _INPUT_IDS))
    elif number == _SAMPLING_PARAMS:
        found.max_tokens = _number(value, _MAX_TOKENS)
    elif number == _MEDIA:
        found.media = prompt.media("mm_inputs", value)


def _bytes(message: memoryview, wanted: int) -> memoryview:
    """Return the bytes of a field, none if it is not there; of several the last counts."""
    found = [v for n, v in _fields(message) if n == wanted and isinstance(v, memoryview)]
    return found[-1] if found else message[:0]


def _number(message: memoryview, wanted: int) -> int | None:
    found = [v for n, v in _fields(message) if n == wanted and isinstance(v, int)]
    return found[-1] if found else None


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield the numbers and values of a message; ValueError if it is none."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        length, at = _varint(message, at) if kind == _BYTES else (_FIXED_BYTES.get(kind), at)
        if length is None or at + length > len(message):
            raise ValueError
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(message[at : at + _MOST_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    raise ValueError


def _malformed(why: str) -> Invalid:
    return Invalid(f"We could not read the gRPC message: {why}.", code="invalid_grpc_message")
