from __future__ import annotations

from tests.demo.sim.play import job


def test_a_job_grows_by_what_it_samples() -> None:
    asked = job("abc", max_tokens=2)
    text = asked.sample() + asked.sample()
    assert asked.content == b"aaaabbbbcccc" + text.encode()
    assert (asked.prompt_tokens, asked.tokens, asked.generated, asked.longest) == (3, 5, 2, 5)


def test_what_is_missing_is_what_is_not_computed() -> None:
    asked = job("abc")
    asked.computed = 3
    assert asked.missing == 0
    asked.sample()
    assert asked.missing == 1


def test_generated_tokens_complete_blocks_too() -> None:
    asked = job("abc", max_tokens=9)
    asked.hash_blocks(4)
    assert asked.keys == []
    asked.sample()
    asked.hash_blocks(4)
    assert len(asked.keys) == 1
