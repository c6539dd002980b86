from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from epp.pool.endpoint import Endpoint
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
        standings = board.standings(addresses, Standing(requests=99))
        assert [standing.rates() for standing in standings] == expected


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


def test_the_addresses_of_a_pool_are_read_once() -> None:
    board, pool = filled("a", "b"), (Endpoint("a"), Endpoint("b"))
    board.meet(pool)
    copy = board.copy()
    assert copy.addresses_of(pool) is board.addresses_of(pool)
    assert copy.addresses_of(pool[:1]) == ["a"]


def test_a_list_of_endpoints_is_read_again_as_it_may_have_changed() -> None:
    board, endpoints = filled("a", "b"), [Endpoint("a")]
    board.meet(endpoints)
    endpoints.append(Endpoint("b"))
    board.meet(endpoints)
    assert board.addresses_of(endpoints) == ["a", "b"]


@given(st.lists(st.tuples(names, st.floats(-10, 10)), max_size=20), st.floats(-11, 11))
def test_a_board_is_short_of_what_does_not_fit_somewhere(
    made: list[tuple[str, float]], tokens: float
) -> None:
    board, rooms = Board(), dict[str, float]()
    for address, room in made:
        board.put(address, Standing(room=room))
        rooms[address] = room
        assert board.short_of(room) == any(room > other for other in rooms.values())
    assert board.copy().short_of(tokens) == any(tokens > room for room in rooms.values())


def test_an_endpoint_that_left_is_short_of_nothing() -> None:
    board = Board()
    board.put("a", Standing(room=1.0))
    board.put("b", Standing(room=9.0))
    board.drop("a")
    assert not board.short_of(5.0)


@given(st.lists(st.one_of(names, st.frozensets(names)), max_size=20))
def test_a_group_is_all_while_no_other_endpoint_is_there(made: list[str | frozenset[str]]) -> None:
    board, there = Board(), set[str]()
    for one in made:
        if isinstance(one, frozenset):
            assert board.is_all(one) == board.copy().is_all(one) == (one >= there)
        elif one in there:
            there.discard(one)
            board.drop(one)
        else:
            there.add(one)
            board.put(one, Standing())
