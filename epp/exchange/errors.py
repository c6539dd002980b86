"""What can go wrong between the proxy and the picker."""

from __future__ import annotations


class ExchangeError(Exception):
    """Base of this package's errors."""


class ProtocolError(ExchangeError):
    """The proxy sent a message that its protocol does not allow at this point."""
