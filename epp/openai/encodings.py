"""Compressed bodies, made readable within a bound.

Only what grows to the limit is ever built, whatever the bytes claim. Each decoder is fed all of its
input and asked for one byte more than is allowed, so that one more byte tells a bomb.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import brotli

from epp.openai.invalid import Invalid
from epp.openai.zstd import zstd

IDENTITY = frozenset({"", "identity"})
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
# 8 MiB: the largest that RFC 9659 lets a sender of zstd presume
_ZSTD_OPTIONS: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
_MOST_ENCODINGS = 3  # one on another; nobody needs two
_MOST_MEMBERS = 16  # one after another; a body of empty ones would take for ever

Expand = Callable[[bytes, int], bytes]  # a body and the largest size; ValueError if it is broken


def is_encoded(header: str) -> bool:
    """Tell whether a `content-encoding` says that the body is not as it reads."""
    return any(coding not in IDENTITY for coding in _codings(header))


def expand(body: bytes, header: str, limit_bytes: int) -> bytes | Invalid:
    """Undo the `content-encoding` in `header`; the last in the list was applied last."""
    codings = [coding for coding in _codings(header) if coding not in IDENTITY]
    if len(codings) > _MOST_ENCODINGS or any(coding not in _EXPAND for coding in codings):
        return _unknown()
    for coding in reversed(codings):
        try:
            body = _EXPAND[coding](body, limit_bytes + 1)
        except (ValueError, EOFError, zlib.error, brotli.error, zstd.ZstdError):
            return _broken(coding)
        if len(body) > limit_bytes:
            return _too_large(limit_bytes)
    return body


def _members(decoder: Callable[[], Any], body: bytes, most: int) -> bytes:
    """Expand what may consist of several members, or frames, one after another."""
    parts: list[bytes] = []
    size = 0
    while body and size < most:
        if len(parts) == _MOST_MEMBERS:
            raise EOFError
        one = decoder()
        parts.append(one.decompress(body, most - size))
        size += len(parts[-1])
        if size < most and not one.eof:
            raise EOFError
        body = one.unused_data
    return b"".join(parts)


def _gzip(body: bytes, most: int) -> bytes:
    return _members(lambda: zlib.decompressobj(_GZIP_OR_ZLIB), body, most)


def _zstd(body: bytes, most: int) -> bytes:
    return _members(lambda: zstd.ZstdDecompressor(options=_ZSTD_OPTIONS), body, most)


def _brotli(body: bytes, most: int) -> bytes:
    decoder = brotli.Decompressor()
    plain = decoder.process(body, output_buffer_limit=most)
    if len(plain) < most and not decoder.is_finished():
        raise EOFError
    return bytes(plain)


_EXPAND: Mapping[str, Expand] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _gzip,
    "br": _brotli,
    "zstd": _zstd,
}


def _codings(header: str) -> list[str]:
    return [coding.strip().lower() for coding in header.split(",")]


def _unknown() -> Invalid:
    return Invalid(
        "The request body has a content-encoding that is not supported; "
        "send gzip, deflate, br, zstd or an uncompressed body.",
        code="unsupported_content_encoding",
        status=415,
    )


def _broken(coding: str) -> Invalid:
    return Invalid(
        f"The request body is not valid {coding}, though its content-encoding says so.",
        code="invalid_content_encoding",
    )


def _too_large(limit_bytes: int) -> Invalid:
    return Invalid(
        f"The request body is larger than {limit_bytes} bytes when it is expanded.",
        code="request_too_large",
        status=413,
    )
