"""llama.cpp's `/slots`: what it works on, where it was started without `--metrics`."""

from __future__ import annotations

import msgspec

from epp.pool.load import Load
from epp.scrape.errors import ScrapeError


class _Slot(msgspec.Struct, frozen=True):
    is_processing: bool


_decoder = msgspec.json.Decoder(list[_Slot])


class SlotsReader:
    """Counts the slots at work. How many requests wait for one is not told."""

    tells_waiting = False

    def read(self, page: bytes, at: float) -> Load:
        """Return a load that has `running` only."""
        try:
            slots = _decoder.decode(page)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ScrapeError("malformed", f"no list of slots: {error}") from error
        if not slots:
            raise ScrapeError("empty", "no list of slots")
        return Load(at, running=sum(slot.is_processing for slot in slots))
