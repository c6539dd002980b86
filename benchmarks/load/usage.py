"""What a process has used so far: CPU time of all its threads and children, and memory."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


class Usage(msgspec.Struct, frozen=True):
    """A reading; the difference of two is what happened between them."""

    cpu_s: float
    rss_mib: float


def usage(pid: int) -> Usage:
    """Read the process and all that descend from it. Children that ended count where they ended."""
    family = list(_family(pid))
    return Usage(sum(map(_cpu_s, family)), sum(map(_rss_mib, family)))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in (_PROC / str(pid) / "task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _cpu_s(pid: int) -> float:
    # The kernel's own clock of a process, in nanoseconds: /proc/PID/stat has the same in ticks of
    # 10 ms. The number is what clock_getcpuclockid(3) returns.
    running = time.clock_gettime((~pid << 3) | 2)
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    reaped = (int(fields[13]) + int(fields[14])) / _TICKS
    return running + reaped


def _rss_mib(pid: int) -> float:
    pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
