from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.load.offer import Offer
from benchmarks.load.replay import OFFER
from benchmarks.routing.trace import EXCERPT


def parsed(*flags: str) -> Offer:
    parser = argparse.ArgumentParser()
    Offer.add_arguments(parser, OFFER)
    return Offer.chosen(parser.parse_args(flags))


def test_the_command_line_says_what_is_offered() -> None:
    offer = Offer(EXCERPT, "0.5:1", 2, 4.5, 60.0, 7)
    assert parsed(*offer.flags()) == offer
    assert parsed() == OFFER


def test_a_file_is_found_from_another_folder() -> None:
    [flag] = [flag for flag in Offer(Path("here.jsonl")).flags() if "trace" in flag]
    assert Path(flag.partition("=")[2]).is_absolute()


def test_requests_come_at_the_rate_and_until_the_time_is_over() -> None:
    requests = Offer(EXCERPT, qps=2.0, seconds=60.0).requests()
    assert 80 <= len(requests) <= 160
    assert all(0.0 <= request.at < 60.0 for request in requests)
    assert [request.number for request in requests] == list(range(len(requests)))
