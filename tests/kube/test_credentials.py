from __future__ import annotations

from pathlib import Path

import pytest

from epp.kube.credentials import Credential, ReadCredentials
from epp.kube.errors import AccessError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def reading(file: Path, clock: Clock) -> ReadCredentials:
    def read() -> Credential:
        try:
            return Credential(token=file.read_text())
        except OSError as error:
            raise AccessError("no token") from error

    return ReadCredentials(read, clock)


async def test_a_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", Clock()
    file.write_text("one")
    credentials = reading(file, clock)
    assert (await credentials.get()).token == "one"
    file.write_text("two")
    clock.now += 59
    assert (await credentials.get()).token == "one"
    clock.now += 1
    assert (await credentials.get()).token == "two"


async def test_it_is_read_again_when_it_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    credentials = reading(file, Clock())
    refused = await credentials.get()
    file.write_text("two")
    assert (await credentials.renew(refused)).token == "two"
    assert (await credentials.get()).token == "two"


async def test_a_file_that_goes_away_leaves_the_token_that_was(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", Clock()
    file.write_text("one")
    credentials = reading(file, clock)
    await credentials.get()
    file.unlink()
    clock.now += 61
    assert (await credentials.get()).token == "one"


async def test_a_file_that_never_was_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="no token"):
        await reading(tmp_path / "token", Clock()).get()
