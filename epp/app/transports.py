"""The transports that carry ext_proc streams."""

from __future__ import annotations

from typing import Literal

from epp.server.listen import Listen

Transport = Literal["native", "grpcio"]


def listen_with(transport: Transport) -> Listen:
    """Return what opens a port. Only the transport that serves is loaded."""
    match transport:
        case "native":
            from epp.server.native import memory  # noqa: PLC0415  see above
            from epp.server.native.listen import listen  # noqa: PLC0415  see above

            memory.keep_large_blocks()
            return listen
        case "grpcio":
            from epp.server.grpcio import listen as grpcio  # noqa: PLC0415  see above

            return grpcio.listen
