"""What the bodies of all APIs have in common."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import msgspec

from epp.openai.invalid import Invalid
from epp.openai.json_policy import decode

# A value of which only one type means something. Objects and arrays are not built: nobody may make
# the picker build a large tree for a field that it looks at once.
Scalar: TypeAlias = bool | int | float | str | None

ABSENT = msgspec.Raw()


class StreamOptions(msgspec.Struct):
    """How a stream is to be."""

    include_usage: Scalar = None


_stream_options = msgspec.json.Decoder(StreamOptions)


def asks_usage(options: msgspec.Raw) -> bool:
    """Tell whether `stream_options` ask for usage; whether they are right is for the server."""
    if options is ABSENT:
        return False
    given = decode(_stream_options, options)
    return isinstance(given, StreamOptions) and given.include_usage is True


class Body(msgspec.Struct):
    """The fields that every API may have; each API adds its own and says what its prompt is.

    Only fields that the picker uses are declared, the others are skipped and left to the server.
    """

    limits: ClassVar[tuple[str, ...]] = ()  # fields that bound the output; the first one set counts

    model: Scalar = None
    stream: Scalar = None
    cache_salt: Scalar = None

    def text(self) -> str | Invalid:
        """Return the prompt, such that a later turn of a conversation extends an earlier one."""
        return ""

    def output_limit(self) -> Scalar:
        """Return how many tokens the client wants at most."""
        for field in self.limits:  # a generator would cost three times as much
            limit: Scalar = getattr(self, field)
            if limit is not None:
                return limit
        return None

    def includes_usage(self) -> bool:
        """Tell whether the client wants to know the usage of a stream, where it can choose."""
        return False
