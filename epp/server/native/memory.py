"""How the C library keeps memory for large bodies."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_MIB = 1024 * 1024


def keep_large_blocks() -> bool:
    """Have glibc keep memory of large bodies for the next ones; whether that could be said.

    Left alone it gives memory to the system as soon as some MiB are free, and takes it from there
    anew, page by page. With requests of 350 KB that is about a tenth of the transport's time
    (benchmarks/micro/transport.py, `native-plain`); with small ones nothing.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, 64 * _MIB) and mallopt(_M_TRIM_THRESHOLD, 256 * _MIB))


def give_back() -> None:
    """Give what is free to the system."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return
