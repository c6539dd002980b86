from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from epp.kube.objects import KubeObject
from epp.kube.pace import ReflectorPace
from epp.kube.reflector import Reflector
from tests.kube.copy import PODS, Copy
from tests.kube.script import (
    Script,
    error_event,
    event,
    fails,
    lists,
    says,
    watches,
)

STEADY = ReflectorPace(jitter=0.0, relist_s=1e6)


@asynccontextmanager
async def played(
    script: Script, *, pace: ReflectorPace = STEADY, path: str = PODS, for_s: float = 50.0
) -> AsyncIterator[tuple[Reflector[KubeObject], Copy]]:
    """Let a reflector follow the script for some virtual time, and hand it over stopped."""
    copy, loop = Copy(), asyncio.get_running_loop()
    client = script.client(timeout_s=30.0)
    rng = random.Random(2)
    reflector = Reflector(
        client, path, KubeObject, copy.changed, rng=rng, clock=loop.time, pace=lambda: pace
    )
    task = loop.time() + for_s
    with pytest.raises(TimeoutError):
        async with asyncio.timeout_at(task):
            await reflector.run()
    yield reflector, copy
    await client.aclose()


@pytest.mark.looptime
async def test_a_list_is_followed_by_a_watch_from_its_version() -> None:
    script = Script(lists("5", "a", "b"), watches(10.0, event("ADDED", "c", "6"), 100.0))
    async with played(script) as (reflector, copy):
        assert script.asked == [(0, "list"), (0, "watch from 5")]
        assert [sorted(call) for call in copy.calls] == [["a", "b"], ["a", "b", "c"]]
        assert reflector.synced
        assert reflector.stats.requests == 2
        assert reflector.stats.last_event_at == 10.0
        assert "2 requests" in repr(reflector)


@pytest.mark.looptime
async def test_requests_ask_for_what_is_wanted_and_no_more() -> None:
    script = Script(lists("5"), watches(100.0))
    copy, loop = Copy(), asyncio.get_running_loop()
    reflector = Reflector(
        script.client(),
        PODS,
        KubeObject,
        copy.changed,
        label_selector="app=vllm",
        field_selector="metadata.name=x",
        rng=random.Random(2),
        clock=loop.time,
    )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await reflector.run()
    first, second = (dict(request.url.params) for request in script.requests)
    selectors = {"labelSelector": "app=vllm", "fieldSelector": "metadata.name=x"}
    assert first == {**selectors, "limit": "500"}
    assert 300 <= int(second.pop("timeoutSeconds")) <= 600
    assert second == {
        **selectors,
        "watch": "1",
        "resourceVersion": "5",
        "allowWatchBookmarks": "true",
    }


@pytest.mark.looptime
async def test_a_list_has_pages() -> None:
    script = Script(lists("5", "a", more="p2"), lists("5", "b", more="p3"), lists("5", "c"))
    async with played(script) as (_, copy):
        assert [ask for _, ask in script.asked] == [
            "list",
            "list continue p2",
            "list continue p3",
            "watch from 5",
        ]
        assert [sorted(call) for call in copy.calls] == [["a", "b", "c"]]


@pytest.mark.looptime
async def test_a_list_that_expires_between_pages_begins_anew() -> None:
    script = Script(lists("5", "a", more="p2"), says(410, b"{}"), lists("8", "b"))
    async with played(script) as (_, copy):
        assert [ask for _, ask in script.asked] == [
            "list",
            "list continue p2",
            "list",
            "watch from 8",
        ]
        assert [sorted(call) for call in copy.calls] == [["b"]]


@pytest.mark.looptime
async def test_a_list_without_end_is_given_up() -> None:
    script = Script(*[lists("5", "a", more="again")] * 1001)
    async with played(script, for_s=0.001) as (reflector, copy):
        assert reflector.stats.restarts == {"unreadable": 1}
        assert not copy.calls


@pytest.mark.looptime
async def test_a_watch_goes_on_from_the_last_event_or_bookmark() -> None:
    script = Script(
        lists("5", "a"),
        watches(10.0, event("MODIFIED", "a", "6")),
        watches(10.0, event("BOOKMARK", "", "9")),
    )
    async with played(script) as (reflector, copy):
        assert script.asked == [
            (0, "list"),
            (0, "watch from 5"),
            (10, "watch from 6"),
            (20, "watch from 9"),
        ]
        assert len(copy.calls) == 2
        assert reflector.stats.restarts == {"closed": 2}
        assert reflector.stats.relists == 0


@pytest.mark.looptime
async def test_events_that_are_there_at_once_are_told_at_once() -> None:
    burst = [event("ADDED", f"p{i}", f"{i + 6}") for i in range(50)]
    late = event("ADDED", "late", "99")
    script = Script(lists("5"), watches(1.0, *burst, b"".join(burst), 1.0, late, 100.0))
    async with played(script) as (_, copy):
        assert [len(call) for call in copy.calls] == [0, 50, 51]


@pytest.mark.looptime
async def test_what_was_handed_over_does_not_change_any_more() -> None:
    script = Script(lists("5", "a"), watches(1.0, event("DELETED", "a", "6"), 100.0))
    async with played(script) as (_, copy):
        assert [sorted(call) for call in copy.calls] == [["a"], []]


@pytest.mark.looptime
@pytest.mark.parametrize(
    "gone", [says(410, b"{}"), watches(error_event(410, "Expired"))], ids=["status", "event"]
)
async def test_both_forms_of_410_lead_to_a_list_whose_difference_is_told(gone: object) -> None:
    script = Script(lists("5", "a", "b"), gone, lists("9", "a", "c"))  # type: ignore[arg-type]
    async with played(script) as (reflector, copy):
        assert script.asked == [
            (0, "list"),
            (0, "watch from 5"),
            (0, "list"),
            (0, "watch from 9"),
        ]
        assert copy.names == ["a", "c"]
        assert reflector.stats.restarts == {"gone": 1}
        assert reflector.stats.relists == 1


@pytest.mark.looptime
async def test_events_before_an_error_event_count() -> None:
    script = Script(
        lists("5", "a"), watches(event("ADDED", "b", "6"), error_event(500)), lists("7", "a", "b")
    )
    async with played(script) as (_, copy):
        assert script.asked[2:] == [(0.8, "list"), (0.8, "watch from 7")]
        assert copy.names == ["a", "b"]


@pytest.mark.looptime
async def test_an_outage_leaves_what_is_known() -> None:
    away = httpx.ConnectError("refused")
    script = Script(
        lists("5", "a"),
        watches(60.0, httpx.ReadError("reset")),
        *[fails(away)] * 4,
        says(503, b"starting"),
        watches(event("DELETED", "a", "6"), event("ADDED", "b", "7"), 1000.0),
    )
    async with played(script, for_s=300.0) as (reflector, copy):
        assert script.asked == [
            (0, "list"),
            (0, "watch from 5"),
            (60.8, "watch from 5"),
            (62.4, "watch from 5"),
            (65.4, "watch from 5"),
            (68.4, "watch from 5"),
            (71.4, "watch from 5"),
            (74.6, "watch from 5"),
        ]
        assert [sorted(call) for call in copy.calls] == [["a"], ["b"]]
        assert reflector.stats.restarts == {"unreachable": 1, "absent": 4, "busy": 1}


@pytest.mark.looptime
async def test_a_watch_that_went_silent_goes_on_at_once() -> None:
    silent = httpx.ReadTimeout("")
    script = Script(lists("5", "a"), watches(event("ADDED", "b", "6"), 180.0, silent))
    async with played(script, for_s=200.0) as (reflector, _):
        assert script.asked[1:] == [(0, "watch from 5"), (180, "watch from 6")]
        assert reflector.stats.restarts == {"stalled": 1}
        assert script.requests[1].extensions["timeout"]["read"] == 180


@pytest.mark.looptime
async def test_what_is_no_list_does_not_empty_the_copy() -> None:
    script = Script(
        lists("5", "a"), says(410), says(200, b"<html>"), says(200, b"{}"), lists("5", "a")
    )
    async with played(script) as (reflector, copy):
        assert len(copy.calls) == 1
        assert reflector.stats.restarts == {"gone": 1, "unreadable": 2}


@pytest.mark.looptime
async def test_a_server_that_closes_without_a_word_is_listed_anew_and_not_stormed() -> None:
    script = Script(lists("5", "a"), *[watches()] * 3, lists("9"), *[watches()] * 3)
    async with played(script, for_s=30.0) as (_, copy):
        assert script.asked == [
            (0, "list"),
            (0, "watch from 5"),
            (0.8, "watch from 5"),
            (2.4, "watch from 5"),
            (2.4, "list"),
            (2.4, "watch from 9"),
            (5.6, "watch from 9"),
            (12.0, "watch from 9"),
            (12.0, "list"),
        ]
        assert copy.names == []


@pytest.mark.looptime
async def test_all_is_listed_anew_from_time_to_time() -> None:
    pace = ReflectorPace(jitter=0.0, relist_s=100.0)
    script = Script(lists("5", "a"), watches(111.0), lists("5", "a"))
    async with played(script, pace=pace, for_s=150.0) as (reflector, copy):
        assert [ask for _, ask in script.asked] == ["list", "watch from 5", "list", "watch from 5"]
        assert int(script.requests[1].url.params["timeoutSeconds"]) <= 110
        assert reflector.stats.restarts == {"closed": 1, "due": 1}
        assert len(copy.calls) == 1


@pytest.mark.looptime
async def test_a_watch_that_the_server_never_ends_is_ended_here() -> None:
    bookmarks = [piece for i in range(30) for piece in (60.0, event("BOOKMARK", "", f"{i + 6}"))]
    script = Script(lists("5", "a"), watches(*bookmarks))
    async with played(script, for_s=800.0) as (reflector, _):
        assert 480 <= script.asked[2][0] <= 780
        assert reflector.stats.restarts == {"overdue": 1}


@pytest.mark.looptime
async def test_the_time_that_a_server_asks_for_is_granted() -> None:
    busy = says(429, b"", headers={"Retry-After": "20"})
    script = Script(lists("5"), busy, busy, watches(100.0))
    async with played(script) as (_, _):
        assert [at for at, _ in script.asked] == [0, 0, 20, 40]


@pytest.mark.looptime
async def test_of_a_row_of_failures_one_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(lists("5"), *[says(500)] * 4, watches(1000.0))
    with caplog.at_level(logging.DEBUG, "epp.kube"):
        async with played(script, for_s=150.0):
            pass
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING, *[logging.DEBUG] * 3]
    assert "secret-token" not in caplog.text


@pytest.mark.looptime
async def test_in_all_namespaces_names_have_theirs() -> None:
    script = Script(lists("5", "a"))
    async with played(script, path="/api/v1/pods") as (_, copy):
        assert copy.names == ["default/a"]


@pytest.mark.looptime
async def test_a_bug_in_what_is_told_is_not_swallowed() -> None:
    def changed(_: object) -> None:
        raise ZeroDivisionError

    client = Script(lists("5", "a")).client()
    reflector = Reflector(client, PODS, KubeObject, changed, rng=random.Random(2))
    with pytest.raises(ExceptionGroup) as caught:
        await reflector.run()
    assert caught.group_contains(ZeroDivisionError)
    assert not reflector.synced
    await client.aclose()
