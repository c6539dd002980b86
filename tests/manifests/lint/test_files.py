from __future__ import annotations

from pathlib import Path

import pytest

from epp.manifests.lint.files import read_files

POD = "apiVersion: v1\nkind: Pod\n"


def kinds(*paths: Path) -> list[str]:
    return [Path(m.file).name for m in read_files(paths).objects]


def test_a_folder_is_all_yaml_files_below_it_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.yml", "b/a.yaml", "a.yaml", "x.json", "y.txt"):
        (tmp_path / name).write_text(POD)
    assert kinds(tmp_path) == ["a.yaml", "a.yaml", "c.yml"]


def test_a_file_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"apiVersion": "v1", "kind": "Pod"}')
    assert kinds(tmp_path / "x.json") == ["x.json"]


def test_templates_of_a_chart_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "chart" / "templates" / "more").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: x\n")
    (tmp_path / "chart" / "templates" / "more" / "a.yaml").write_text("{{ apiVersion }}: [")
    (tmp_path / "templates" / "b.yaml").write_text(POD)
    contents = read_files([tmp_path])
    assert contents.unreadable == ()
    assert [Path(m.file).name for m in contents.objects] == ["b.yaml"]


def test_in_a_folder_yaml_of_other_programs_may_be_of_any_kind(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("a: &a {b: 1}\nc: {<<: *a}\n")
    assert read_files([tmp_path]).unreadable == ()
    assert len(read_files([tmp_path / "compose.yaml"]).unreadable) == 1


@pytest.mark.parametrize("text", ["apiVersion: v1\nkind: [\n", "apiVersion: v1\n<<: {}\n"])
def test_in_a_folder_objects_must_be_readable(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    (finding,) = read_files([tmp_path]).unreadable
    assert finding.line == 2


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    (finding,) = read_files([tmp_path / "none.yaml"]).unreadable
    assert finding.message == "cannot be read: No such file or directory"
