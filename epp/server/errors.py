"""Why the server cannot start."""

from __future__ import annotations


class ServerError(Exception):
    """The message names the cause and what to do about it."""


class ListenError(ServerError):
    """An address cannot be had."""


class CertificateError(ServerError):
    """A certificate or its key cannot be used."""
