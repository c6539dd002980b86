from __future__ import annotations

import pytest

from epp.pool.load import Load
from epp.scrape.errors import ScrapeError
from epp.scrape.slots import SlotsReader
from tests.scrape.pages import llama_cpp


@pytest.mark.parametrize(("page", "running"), [("slots-idle.json", 0), ("slots-busy.json", 1)])
def test_the_slots_of_a_real_llama_cpp_at_work_are_counted(page: str, running: int) -> None:
    assert SlotsReader().read(llama_cpp(page), 5.0) == Load(5.0, running=running)


@pytest.mark.parametrize("page", [b"", b"{}", b"[]", b"[{}]", b"<html>", b"[3]", b"[" * 100_000])
def test_what_is_no_list_of_slots_is_an_error(page: bytes) -> None:
    with pytest.raises(ScrapeError, match="no list of slots"):
        SlotsReader().read(page, 5.0)
