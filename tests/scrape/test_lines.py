from __future__ import annotations

import pytest

from epp.scrape.lines import Lines

NAME = "vllm:num_requests_waiting"
TYPED = b"# HELP vllm:num_requests_waiting Some.\n# TYPE vllm:num_requests_waiting gauge\n"


@pytest.mark.parametrize(
    "page",
    [
        b"vllm:num_requests_waiting 4",
        b"vllm:num_requests_waiting 4\n",
        b"\nvllm:num_requests_waiting 4",
        b"other 1\nvllm:num_requests_waiting 4\nother_too 2\n",
        TYPED + b"vllm:num_requests_waiting 4\n# EOF\n",
        b"vllm:num_requests_waiting_by_reason 9\nvllm:num_requests_waiting 4\n",
        b"vllm:num_requests_waiting 4\nvllm:num_requests_waiting_by_reason 9\n",
        b"vllm:num_requests_waiting_created 9\nvllm:num_requests_waiting 4\n",
        b"my_vllm:num_requests_waiting 9\nvllm:num_requests_waiting 4\n",
    ],
)
def test_the_line_is_found_wherever_it_stands(page: bytes) -> None:
    lines = Lines(NAME)
    assert [lines.find(page), lines.find(page)] == [[b" 4"], [b" 4"]]


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"\n",
        b"# HELP vllm:num_requests_waiting Of vllm:num_requests_waiting 4\n",
        b"vllm:num_requests_waiting_by_reason 9",
        b"other 1\nvllm:num_requests_waiting_by_reason 9\nvllm:num_requests_waiting_created 3\n",
    ],
)
def test_comments_and_longer_names_are_not_lines_of_the_name(page: bytes) -> None:
    assert Lines(NAME).find(page) == []


def test_all_lines_of_the_name_are_found() -> None:
    page = (
        TYPED
        + b'vllm:num_requests_waiting{engine="0"} 1\nvllm:num_requests_waiting{engine="1"} 2\nz 3'
    )
    assert Lines(NAME).find(page) == [b'{engine="0"} 1', b'{engine="1"} 2']


@pytest.mark.parametrize("before", [0, 3, 400, 5_000])
@pytest.mark.parametrize("after", [0, 3, 400, 5_000])
def test_the_lines_may_stand_elsewhere_on_the_next_page(before: int, after: int) -> None:
    lines, group = (
        Lines(NAME),
        TYPED + b"vllm:num_requests_waiting 1\nvllm:num_requests_waiting 2\n",
    )
    lines.find(b"x" * before + b"\n" + group)
    assert lines.find(b"x" * after + b"\n" + group + b"y" * before) == [b" 1", b" 2"]


def test_a_series_that_comes_to_stand_above_the_others_is_found() -> None:
    lines = Lines(NAME)
    lines.find(TYPED + b"vllm:num_requests_waiting 1\n")
    page = TYPED + b"vllm:num_requests_waiting 7\nvllm:num_requests_waiting 1\n"
    assert lines.find(page) == [b" 7", b" 1"]


def test_a_page_that_loses_its_type_lines_is_read_too() -> None:
    lines = Lines(NAME)
    lines.find(TYPED + b"vllm:num_requests_waiting 1\n")
    page = b"vllm:num_requests_waiting 7\nvllm:num_requests_waiting 1\n"
    assert lines.find(page) == [b" 7", b" 1"]


@pytest.mark.timeout(5)
def test_a_megabyte_of_almost_the_name_is_searched_once() -> None:
    assert Lines(NAME).find(b"vllm:num_requests_waiting_\n" * 40_000) == []
