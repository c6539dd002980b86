from __future__ import annotations

from pathlib import Path

import pytest

from epp.kube.errors import AccessError
from epp.kube.kubeconfig import Kubeconfig
from tests.kube.configs import selected, write


def test_the_current_context_is_taken(tmp_path: Path) -> None:
    chosen = selected(tmp_path / "c", user={"token": "t"}, namespace="models")
    assert chosen.context == "one"
    assert chosen.cluster.entry.server == "https://10.0.0.1:6443"
    assert chosen.user.entry.token == "t"
    assert chosen.namespace == "models"


def test_a_context_without_a_namespace_is_in_default(tmp_path: Path) -> None:
    assert selected(tmp_path / "c").namespace == "default"


def test_a_context_may_be_named(tmp_path: Path) -> None:
    files = [write(tmp_path / "a"), write(tmp_path / "b", name="two")]
    assert Kubeconfig(files).select("two").context == "two"


def test_of_several_files_the_first_that_says_something_counts(tmp_path: Path) -> None:
    first = write(tmp_path / "a", user={"token": "first"}, current="")
    second = write(tmp_path / "b", user={"token": "second"}, current="one")
    chosen = Kubeconfig([first, second]).select()
    assert (chosen.user.entry.token, chosen.user.file) == ("first", first)


def test_a_context_may_join_entries_of_several_files(tmp_path: Path) -> None:
    clusters, users = tmp_path / "clusters", tmp_path / "deep" / "users"
    clusters.write_text("clusters: [{name: c, cluster: {server: https://c}}]\nusers: null\n")
    users.parent.mkdir()
    users.write_text(
        "users: [{name: u, user: {client-key: k}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
    )
    chosen = Kubeconfig([clusters, users]).select()
    assert chosen.cluster.file == clusters
    assert chosen.user.path(chosen.user.entry.client_key) == tmp_path / "deep" / "k"


def test_a_context_may_have_no_user(tmp_path: Path) -> None:
    assert selected(tmp_path / "c", user={"token": "t"}) is not None
    file = tmp_path / "d"
    file.write_text(
        "clusters: [{name: c, cluster: {server: http://c}}]\n"
        "contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n"
    )
    assert Kubeconfig([file]).select().user.entry.token == ""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no current-context; name one: none"),
        ("current-context: x", "no context 'x'; there are: none"),
        ("contexts: [{name: x}]\ncurrent-context: x", "the cluster ''; there are: none"),
        (
            "clusters: [{name: c}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
            "current-context: x",
            "the user 'u'; there are: none",
        ),
        ("users: 7", r"not a kubeconfig: Expected `array .*users`"),
        ("[]", "not a kubeconfig"),
        ("a: [b\nc: d", ":2: not YAML"),
        ("a: \x00", "not YAML"),
        ("- &a [*a", "not YAML"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(AccessError, match=f"{file}.*{complaint}"):
        Kubeconfig([file]).select()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="none: cannot be read: No such file"):
        Kubeconfig([tmp_path / "none"])
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AccessError, match="cannot be read: not UTF-8"):
        Kubeconfig([binary])


def test_no_complaint_repeats_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "config"
    for text in (
        "users: [{name: u, user: {token: hidden: x}}]",
        "users: [{name: u, user: {token: [hidden]}}]",
        "users: [{name: u, user: hidden}]",
    ):
        file.write_text(text)
        with pytest.raises(AccessError) as caught:
            Kubeconfig([file])
        assert "hidden" not in str(caught.value)
        assert "hidden" not in str(caught.value.__cause__)


def test_unknown_fields_are_no_concern_of_ours(tmp_path: Path) -> None:
    chosen = selected(tmp_path / "c", cluster={"disable-compression": True, "newer": [1]})
    assert chosen.cluster.entry.server
