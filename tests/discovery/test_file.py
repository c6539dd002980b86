from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from epp.discovery.error import EndpointsFileError
from epp.discovery.file import FileSource, load_targets
from epp.discovery.resolver import Resolver
from tests.discovery.names import Names
from tests.discovery.published import running

A, B = "10.0.0.1:80", "10.0.0.2:80"


def listing(*hosts: str) -> str:
    entries = "".join(f"- {{address: {host}, port: 80}}\n" for host in hosts)
    return f"endpoints:\n{entries}" if hosts else "endpoints: []\n"


def write(path: Path, text: str) -> None:
    path.write_text(text)


def write_beside_and_rename(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def remove(path: Path) -> None:
    path.unlink()


async def at_once(function: Callable[..., Any], *args: Any) -> Any:
    """Virtual time does not wait for threads."""
    return function(*args)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "endpoints.yaml"


def source(path: Path, names: Names | None = None) -> FileSource:
    return FileSource(path, Resolver((names or Names()).lookup), offload=at_once)


@pytest.mark.looptime
async def test_a_change_is_seen_within_a_second(path: Path) -> None:
    write(path, listing("10.0.0.1"))
    async with running(source(path)) as published:
        await asyncio.sleep(10.5)
        write(path, listing("10.0.0.1", "10.0.0.2"))
        await asyncio.sleep(10)
    assert published.sets == [[A], [A, B]]
    assert published.times == [0.0, pytest.approx(11.1)]


@pytest.mark.looptime
async def test_a_rename_over_the_file_is_seen(path: Path) -> None:
    write(path, listing("10.0.0.1"))
    async with running(source(path)) as published:
        await asyncio.sleep(1)
        write_beside_and_rename(path, listing("10.0.0.2"))
        await asyncio.sleep(2)
    assert published.sets == [[A], [B]]


@pytest.mark.looptime
async def test_another_order_of_bytes_with_the_same_meaning_changes_nothing(path: Path) -> None:
    write(path, listing("10.0.0.1"))
    async with running(source(path)) as published:
        await asyncio.sleep(1)
        write(path, "# a comment\n" + listing("10.0.0.1"))
        await asyncio.sleep(2)
    assert published.sets == [[A]]


@pytest.mark.looptime
async def test_a_broken_file_leaves_the_last_good_set_and_is_told_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "epp.discovery")
    write(path, listing("10.0.0.1"))
    async with running(source(path)) as published:
        await asyncio.sleep(1)
        broken = listing("10.0.0.1") + "- address: 10.0.0.2\n  prot: 80\n"
        write(path, broken)
        await asyncio.sleep(10)
        write(path, "# still broken\n" + broken)
        await asyncio.sleep(10)
        write(path, listing("10.0.0.1"))
        await asyncio.sleep(10)
    assert published.sets == [[A]]
    told = [(record.getMessage(), vars(record).get("problem")) for record in caplog.records]
    said = "endpoints file cannot be used; the last good one stays"
    hint = 'unknown field "prot" in endpoints[1]; did you mean "port"?'
    assert told == [
        ("endpoints found", None),
        (said, f"{path}:4: {hint}"),
        (said, f"{path}:5: {hint}"),
        ("endpoints file is good again", None),
    ]


@pytest.mark.looptime
async def test_a_file_that_goes_away_and_comes_back_is_no_change(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(path, listing("10.0.0.1"))
    async with running(source(path)) as published:
        await asyncio.sleep(1)
        remove(path)
        await asyncio.sleep(10)
        write(path, listing("10.0.0.1"))
        await asyncio.sleep(10)
        remove(path)
        await asyncio.sleep(10)
    assert published.sets == [[A]]
    told = [vars(record)["problem"] for record in caplog.records]
    assert told == [f"{path}:1: cannot be read: No such file or directory"] * 2


@pytest.mark.looptime
async def test_a_file_that_comes_late_is_waited_for(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(source(path)) as published:
        await asyncio.sleep(5.5)
        assert published.sets == []
        write(path, listing("10.0.0.1"))
        await asyncio.sleep(1)
    assert published.times == [6.0]
    assert caplog.records[0].getMessage() == "endpoints file cannot be used; waiting for a good one"


@pytest.mark.looptime
async def test_an_empty_list_that_is_written_out_empties_the_pool(path: Path) -> None:
    write(path, listing("10.0.0.1"))
    async with running(source(path)) as published:
        await asyncio.sleep(1)
        write(path, listing())
        await asyncio.sleep(2)
    assert published.sets == [[A], []]


@pytest.mark.looptime
async def test_half_a_file_that_is_a_good_file_is_not_taken_for_the_whole(path: Path) -> None:
    write(path, listing("10.0.0.1"))
    async with running(source(path)) as published:
        await asyncio.sleep(0.98)
        whole = listing("10.0.0.1", "10.0.0.2", "10.0.0.3").splitlines(keepends=True)
        write(path, "")
        for i in range(1, len(whole) + 1):  # a slow writer: each step is a good list of its own
            await asyncio.sleep(0.05)
            write(path, "".join(whole[:i]))
        await asyncio.sleep(2)
    assert published.sets == [[A], [A, B, "10.0.0.3:80"]]


@pytest.mark.looptime
async def test_a_file_that_never_rests_is_left_for_later(path: Path) -> None:
    contents = [listing("10.0.0.1"), listing("10.0.0.2"), listing("10.0.0.3")]
    write(path, contents[0])
    async with running(source(path)) as published:
        await asyncio.sleep(0.95)
        for i in range(100):
            write(path, contents[1 + i % 2])
            await asyncio.sleep(0.1)
        assert published.sets == [[A]]
        await asyncio.sleep(5)
    assert published.sets == [[A], ["10.0.0.3:80"]]


@pytest.mark.looptime
async def test_names_in_the_file_are_asked_for_again(path: Path) -> None:
    write(path, listing("a"))
    names = Names(a=["10.0.0.1"])
    async with running(source(path, names)) as published:
        await asyncio.sleep(25)
        names.table["a"] = ["10.0.0.2"]
        await asyncio.sleep(10)
    assert published.sets == [[A], [B]]
    assert published.times == [0.0, 30.0]
    assert len(names.asked) == 2


@pytest.mark.looptime
async def test_names_without_an_answer_are_asked_for_at_each_poll(path: Path) -> None:
    write(path, listing("a"))
    names = Names()
    async with running(source(path, names)) as published:
        await asyncio.sleep(2.5)
        names.table["a"] = ["10.0.0.1"]
        await asyncio.sleep(1)
    assert published.times == [3.0]


async def test_no_rewrite_of_a_real_file_empties_the_pool(path: Path) -> None:
    rng = Random(4)
    hosts = [f"10.0.0.{i}" for i in range(1, 200)]
    write(path, listing(*hosts))
    reader = FileSource(path, poll_s=0.001, settle_s=0.02)
    async with running(reader) as published:
        await published.until([f"{host}:80" for host in hosts])
        for round_ in range(20):
            text = listing(*hosts, f"10.0.1.{round_}")
            if round_ % 2:
                write_beside_and_rename(path, text)
            else:
                with path.open("w") as file:
                    for start in range(0, len(text), 1000):
                        file.write(text[start : start + 1000])
                        file.flush()
                        await asyncio.sleep(rng.random() / 1000)
            await published.until([f"{host}:80" for host in [*hosts, f"10.0.1.{round_}"]])
    assert all(published.sets)


def test_a_file_can_be_checked_before_anything_runs(path: Path) -> None:
    path.write_text(listing("10.0.0.1"))
    assert len(load_targets(path)) == 1
    path.write_text("endpoints: 1\n")
    with pytest.raises(EndpointsFileError, match=r":1: endpoints: expected a list, got 1"):
        load_targets(path)
    path.write_bytes(b"#" * (1 << 21))
    with pytest.raises(EndpointsFileError, match=r":1: the file has more than"):
        load_targets(path)
    with pytest.raises(EndpointsFileError, match=r":1: cannot be read: Is a directory"):
        load_targets(path.parent)
