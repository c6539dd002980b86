"""Whether the picker is alive and ready, by every name under which it is asked."""

from __future__ import annotations

from collections.abc import Callable

from epp.server.processor import SERVICE

LIVENESS = "liveness"

# The whole server, the protocol's own name, the name that charts probe, and the service itself.
READINESS = ("", "readiness", "inference-extension", SERVICE)

Told = Callable[[bool | None], None]
"""Called with each change of what is watched; None: there is nothing of that name."""


class Health:
    """Alive as long as it answers; ready when told so, and never again once it drains."""

    def __init__(self) -> None:
        self._ready = False
        self._draining = False
        self._watches: dict[Told, str] = {}

    def serving(self, name: str) -> bool | None:
        """Return whether what is called `name` serves; None if nothing is called so."""
        if name == LIVENESS:
            return True
        return self._ready and not self._draining if name in READINESS else None

    def watch(self, name: str, told: Told) -> Callable[[], None]:
        """Have `told` called with each change from now on; return what ends that."""
        self._watches[told] = name

        def end() -> None:
            self._watches.pop(told, None)

        return end

    def set_ready(self, ready: bool) -> None:
        """Tell it to all who ask and all who watch; unless it drains."""
        before = self.serving(SERVICE)
        self._ready = ready
        self._tell(before)

    def drain(self) -> None:
        """Be asked for nothing more, and stay alive."""
        before = self.serving(SERVICE)
        self._draining = True
        self._tell(before)

    def _tell(self, before: bool | None) -> None:
        now = self.serving(SERVICE)
        if now != before:
            for told, name in list(self._watches.items()):
                if name in READINESS:
                    told(now)
