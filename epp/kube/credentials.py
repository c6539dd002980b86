"""Who the picker is to the API server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from epp.kube.errors import AccessError
from epp.kube.private import Private

REREAD_S = 60.0


class Credential(Private, frozen=True):
    """A bearer token, a client certificate with its key (PEM), or neither."""

    token: str = ""
    certificate: bytes = b""
    key: bytes = b""

    @property
    def pair(self) -> tuple[bytes, bytes]:
        """What a connection is made with, other than the token, which goes with each request."""
        return self.certificate, self.key


class Credentials(Protocol):
    """Where the credential of the moment comes from."""

    async def get(self) -> Credential:
        """Return what to use now."""
        ...

    async def renew(self, refused: Credential) -> Credential:
        """Return what to use after the server refused `refused`; that one again if all else is."""
        ...


class ReadCredentials:
    """A credential from files or constants, read again each minute and whenever it is refused.

    The kubelet rotates a token long before it expires, so that a minute is early enough. A file
    that cannot be read later on leaves the credential that was.
    """

    def __init__(
        self, read: Callable[[], Credential], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._known: Credential | None = None
        self._read_at = 0.0

    async def get(self) -> Credential:
        """Return what was last read, read anew if that is a minute ago."""
        if self._known is None or self._clock() - self._read_at >= REREAD_S:
            return self._reread()
        return self._known

    async def renew(self, refused: Credential) -> Credential:
        """Return what can be read now."""
        return self._reread()

    def _reread(self) -> Credential:
        self._read_at = self._clock()
        try:
            self._known = self._read()
        except AccessError:
            if self._known is None:
                raise
        return self._known
