from __future__ import annotations

from epp.scrape.errors import ScrapeError


def test_an_error_has_a_kind_to_count_and_a_text_to_read() -> None:
    error = ScrapeError("status", "503")
    assert (error.kind, str(error)) == ("status", "status: 503")
