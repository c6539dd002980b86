from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from protos.generate import PROTOS, drift, write

WANTED = {"__init__.py": "", "a/x_pb2.py": "x = 1\n", "a/x_pb2.pyi": "x: int\n"}


def test_the_committed_modules_are_what_the_protos_give() -> None:
    check = subprocess.run(
        [sys.executable, PROTOS / "generate.py", "--check"],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )

    assert (check.returncode, check.stdout) == (0, "")


def test_what_was_just_written_has_not_drifted(tmp_path: Path) -> None:
    write(WANTED, tmp_path)

    assert drift(WANTED, tmp_path) == []


@pytest.mark.parametrize("name", ["a/x_pb2.py", "a/x_pb2.pyi"])
def test_an_edited_or_missing_file_is_drift_and_is_mended(tmp_path: Path, name: str) -> None:
    write(WANTED, tmp_path)
    (tmp_path / name).write_text("x = 2\n")
    assert drift(WANTED, tmp_path) == [name]
    (tmp_path / name).unlink()
    assert drift(WANTED, tmp_path) == [name]

    write(WANTED, tmp_path)

    assert drift(WANTED, tmp_path) == []


def test_a_file_that_nothing_generates_is_drift_and_is_removed(tmp_path: Path) -> None:
    write(WANTED, tmp_path)
    (tmp_path / "a" / "old_pb2.py").write_text("")
    assert drift(WANTED, tmp_path) == ["a/old_pb2.py"]

    write(WANTED, tmp_path)

    assert drift(WANTED, tmp_path) == []
