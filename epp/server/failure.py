"""What a client is told where the picker, or its proxy, has failed."""

from __future__ import annotations

import logging

from epp.exchange.actions import Refuse
from epp.exchange.errors import ProtocolError
from epp.exchange.events import Refused
from epp.server import codec

_log = logging.getLogger(__name__)

BUG = Refused(500, "The endpoint picker failed; the request was not sent.", "rejected-error")
MISUSE = Refused(
    500, "The proxy and the endpoint picker disagree about the protocol.", "rejected-error"
)
# Made beforehand: what has failed may be the codec.
MESSAGES = {refused: codec.reply(Refuse(refused)) for refused in (BUG, MISUSE)}
BYTES = {refused: message.SerializeToString() for refused, message in MESSAGES.items()}


def refusal(error: Exception) -> Refused:
    """Return the answer to what could not be handled because of `error`, which is logged."""
    if isinstance(error, ProtocolError):
        _log.warning("protocol error", extra={"error": str(error)})
        return MISUSE
    _log.exception("a stream failed", exc_info=error)
    return BUG
