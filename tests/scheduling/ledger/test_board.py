from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from epp.scheduling.ledger.board import Board
from epp.scheduling.ledger.standing import Standing

UNKNOWN = Standing(requests=99).rates()
names = st.sampled_from("abcdef")
changes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), names, st.integers(0, 9)),
        st.tuples(st.just("drop"), names, st.just(0)),
        st.tuples(st.just("sort"), st.lists(names, unique=True), st.just(0)),
    )
)


def filled(*addresses: str) -> Board:
    board = Board()
    for requests, address in enumerate(addresses):
        board.put(address, Standing(requests=requests))
    return board


@given(changes, st.lists(names, unique=True))
def test_a_board_is_a_dict_of_standings(made: list[tuple[str, str, int]], asked: list[str]) -> None:
    board, plain = Board(), dict[str, Standing]()
    for change, what, requests in made:
        if change == "put":
            plain[what] = Standing(requests=requests)
            board.put(what, plain[what])
        elif change == "drop":
            plain.pop(what, None)
            board.drop(what)
        else:
            board.sort(what)
    assert len(board) == len(plain)
    assert [board.at(a) for a in asked] == [plain.get(a) for a in asked]
    for addresses in (asked, sorted(plain), list(plain)):
        expected = [plain[a].rates() if a in plain else UNKNOWN for a in addresses]
        assert list(board.rates(addresses, UNKNOWN)) == expected


def test_a_copy_stays_as_it_was() -> None:
    board = filled("a", "b")
    copy = board.copy()
    board.put("a", Standing(requests=7))
    board.put("c", Standing(requests=8))
    assert (copy.at("a"), copy.at("c")) == (Standing(requests=0), None)
    assert copy.rates(["a", "b", "c"], UNKNOWN)[2] == UNKNOWN
    board.drop("a")
    assert [copy.at(a) for a in "ab"] == [Standing(requests=0), Standing(requests=1)]


def test_who_joins_leaves_the_order_to_be_put_right() -> None:
    board = filled("a", "c")
    board.sort("ac")
    assert not board.unsorted
    board.put("b", Standing(requests=5))
    assert board.unsorted
    board.sort("abc")
    found = board.rates(["a", "b", "c"], UNKNOWN)
    assert not board.unsorted
    assert found is board.rates(["a", "b", "c"], UNKNOWN)  # the list itself, nothing looked up
    assert [rates[4] for rates in found] == [0.0, 5.0, 1.0]
