from __future__ import annotations

from benchmarks.routing.memory import SPAN_BLOCKS, Memory


def filled(*spans: int, room: int = 4) -> Memory:
    """Return a memory for `room` spans that has these, held by nobody."""
    memory = Memory(room * 512)
    for span in spans:
        assert memory.take(SPAN_BLOCKS)
        memory.publish(span)
    memory.drop(spans)
    return memory


def test_a_prompt_matches_up_to_the_first_span_that_is_not_there() -> None:
    memory = filled(1, 2, 4)
    assert memory.matched((1, 2, 3, 4)) == 2
    assert memory.matched((2,)) == 1
    assert memory.matched(()) == 0


def test_a_span_that_nobody_holds_counts_as_available() -> None:
    memory = filled(1, 2)
    assert (memory.available, memory.usage) == (4 * SPAN_BLOCKS, 0.0)
    memory.hold((1,))
    assert (memory.available, memory.usage) == (3 * SPAN_BLOCKS, 0.25)


def test_of_a_prompt_the_end_is_evicted_first() -> None:
    memory = filled(1, 2, 3)
    assert memory.take(2 * SPAN_BLOCKS)
    assert memory.matched((1, 2, 3)) == 2


def test_what_was_used_last_stays() -> None:
    memory = filled(1, 2)
    memory.hold((2,))
    memory.drop((2,))
    assert memory.take(3 * SPAN_BLOCKS)
    assert memory.matched((2,)) == 1
    assert memory.matched((1,)) == 0


def test_a_held_span_is_never_evicted() -> None:
    memory = filled(1)
    memory.hold((1,))
    assert memory.take(3 * SPAN_BLOCKS)
    assert not memory.take(1)
    assert memory.matched((1,)) == 1


def test_too_much_is_refused_and_nothing_is_taken() -> None:
    memory = filled(1)
    assert not memory.take(4 * SPAN_BLOCKS + 1)
    assert memory.available == 4 * SPAN_BLOCKS
    assert memory.matched((1,)) == 1


def test_a_span_computed_twice_is_kept_once() -> None:
    memory = filled()
    assert memory.take(2 * SPAN_BLOCKS)
    memory.publish(1)
    memory.publish(1)
    assert memory.available == 3 * SPAN_BLOCKS
    memory.drop((1,))
    assert memory.available == 3 * SPAN_BLOCKS
    memory.drop((1,))
    assert memory.available == 4 * SPAN_BLOCKS
