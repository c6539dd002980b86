from __future__ import annotations

from epp.manifests.lint.objects import objects_in
from epp.manifests.lint.rule import Finding


def test_only_what_has_a_kind_and_a_version_is_an_object() -> None:
    content = b"a: 1\n---\n- b\n---\nkind: X\n---\napiVersion: v1\nkind: Y\n---\n"
    assert [m.kind for m in objects_in("f", content).objects] == ["Y"]


def test_a_list_is_its_items_with_their_lines() -> None:
    items = b"- apiVersion: v1\n  kind: Y\n- apiVersion: v1\n  kind: Z\n"
    content = b"apiVersion: v1\nkind: List\nitems:\n" + items
    assert [(m.kind, m.root.line) for m in objects_in("f", content).objects] == [("Y", 4), ("Z", 6)]


def test_what_is_no_yaml_is_a_finding_on_its_line() -> None:
    contents = objects_in("f", b"apiVersion: v1\nkind: Y\n---\nb: [\n")
    assert contents.objects == ()
    (finding,) = contents.unreadable
    assert isinstance(finding, Finding)
    assert (finding.file, finding.line, finding.rule) == ("f", 4, "unreadable")
