from __future__ import annotations

from epp.discovery.address import parse_address
from epp.discovery.resolver import Resolver
from epp.discovery.roster import Roster
from epp.discovery.target import Target, from_addresses
from tests.discovery.names import Names
from tests.discovery.published import Published


def targets(*texts: str) -> tuple[Target, ...]:
    return from_addresses([parse_address(text) for text in texts])


async def test_the_same_set_is_published_once() -> None:
    published = Published()
    roster = Roster(Resolver(Names(a=["10.0.0.1"]).lookup), published)
    await roster.update(targets("a:80"))
    await roster.update(targets("a:80"))
    assert published.sets == [["10.0.0.1:80"]]


async def test_a_change_of_anything_is_published() -> None:
    published = Published()
    roster = Roster(Resolver(Names().lookup), published)
    await roster.update(targets("http://10.0.0.1:80"))
    await roster.update(targets("https://10.0.0.1:80"))
    assert published.sets == [["10.0.0.1:80"]] * 2


async def test_names_that_all_fail_leave_the_last_set_standing() -> None:
    published = Published()
    roster = Roster(Resolver(Names().lookup), published)
    await roster.update(targets("10.0.0.1:80"))
    await roster.update(targets("a:80", "b:80"))
    assert published.sets == [["10.0.0.1:80"]]


async def test_a_name_that_fails_does_not_keep_back_the_others() -> None:
    published = Published()
    roster = Roster(Resolver(Names(b=["10.0.0.2"]).lookup), published)
    await roster.update(targets("a:80", "b:80"))
    assert published.sets == [["10.0.0.2:80"]]


async def test_an_empty_set_that_is_meant_is_published() -> None:
    published = Published()
    roster = Roster(Resolver(Names().lookup), published)
    await roster.update(targets("10.0.0.1:80"))
    await roster.update(())
    assert published.sets == [["10.0.0.1:80"], []]
