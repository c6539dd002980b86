"""Host names to IP addresses, and what they were when the name server last answered."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeAlias

log = logging.getLogger("epp.discovery")

Lookup: TypeAlias = Callable[[str], Awaitable[Iterable[str]]]

LOOKUP_TIMEOUT_S = 5.0


async def lookup(name: str) -> tuple[str, ...]:
    """Return the addresses of `name` in a fixed order; OSError if there are none.

    Of a name that has both, the IPv4 ones: the others lead to the same servers a second time.
    """
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    v4 = {str(address[0]) for family, *_, address in found if family == socket.AF_INET}
    v6 = {str(address[0]) for family, *_, address in found if family == socket.AF_INET6}
    ips = v4 or {ip for ip in v6 if "%" not in ip}
    if not ips:
        raise OSError(f"no usable address for {name}")
    return tuple(sorted(ips))


class Resolver:
    """Asks for names, and keeps each one's last good answer."""

    def __init__(self, lookup: Lookup = lookup) -> None:
        self._lookup = lookup
        self._answers: dict[str, tuple[str, ...]] = {}
        self._failing: set[str] = set()

    @property
    def lacking(self) -> bool:
        """Whether a name that was asked for has never been answered."""
        return not self._failing <= self._answers.keys()

    async def answers(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Ask for all `names` at once; one that cannot be resolved has its last answer, if any."""
        wanted = set(names)
        async with asyncio.TaskGroup() as group:
            for name in wanted:
                group.create_task(self._ask(name))
        self._answers = {n: a for n, a in self._answers.items() if n in wanted}
        self._failing &= wanted
        return self._answers

    async def _ask(self, name: str) -> None:
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                found = tuple(await self._lookup(name))
        except OSError as error:  # TimeoutError and gaierror are both
            self._failed(name, error)
            return
        if name in self._failing:
            self._failing.remove(name)
            log.info("host name resolves again", extra={"host": name, "addresses": found})
        self._answers[name] = found

    def _failed(self, name: str, error: OSError) -> None:
        if name in self._failing:
            return
        self._failing.add(name)
        kept = self._answers.get(name, ())
        what = "its last addresses stay" if kept else "it is left out"
        why = str(error) or type(error).__name__
        extra = {"host": name, "addresses": kept, "problem": why}
        log.warning("host name does not resolve; %s", what, extra=extra)
