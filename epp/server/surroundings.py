"""What stands beside the event of a message, known again by its bytes.

A proxy says the same of each stream: the modes with its first message, and with every message its
metadata, or that it has none.
"""

from __future__ import annotations

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.server.codec import Around, around

_REMEMBERED = 128
_REMEMBERED_BYTES = 1024  # each

_known: dict[bytes, Around] = {b"": Around()}


def read(data: bytes) -> Around | None:
    """Return what `data` says, which is a message too, but for its event.

    None: there is an event in it. DecodeError if it is no message.
    """
    known = _known.get(data)
    if known is not None:
        return known
    message = pb.ProcessingRequest.FromString(data)
    if message.WhichOneof("request") is not None:
        return None
    found = around(message)
    if len(data) <= _REMEMBERED_BYTES:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[data] = found
    return found
