"""From `cluster.yaml`, which others share, to the options that are ours."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from epp.document.fit import fit
from epp.document.node import Node
from epp.document.problem import Problem
from epp.document.read import read
from epp.manifests.render.check import MODELS, check, check_model
from epp.manifests.render.error import ClusterError
from epp.manifests.render.options import PREFIX, ClusterOptions, SelfHostedModel

OURS = frozenset(field.name for field in msgspec.structs.fields(ClusterOptions))
# Of the template's own options, some are similar to ours: ai_gateway_namespace is none of them.
_THEIRS = frozenset({"ai_gateway_enabled", "ai_gateway_namespace"})
_TYPO = 0.75  # of the name after the prefix, as difflib measures it
_TYPO_ANYWHERE = 0.9  # of a whole name, for a slip within the prefix


class Loaded(msgspec.Struct, frozen=True):
    """The options, and what was in the file besides."""

    options: ClusterOptions
    ignored: tuple[str, ...]  # other options of the gateway


def load(content: bytes, source: str) -> Loaded:
    """Return the options in a file.

    ClusterError names each mistake by its line; `source` is what it calls the file.
    """
    root = read(content)
    if isinstance(root, Problem):
        raise ClusterError(source, [root])
    problems: list[Problem] = []
    ours, ignored = _ours(root, problems)
    options = fit(ours, ClusterOptions, "", problems)
    problems += _of_models(ours)
    if options is not None:
        problems += check(options, root)
    if options is None or problems:
        raise ClusterError(source, problems)
    return Loaded(options, ignored)


def load_file(path: Path) -> Loaded:
    """Return the options in the file at `path`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        unread = Problem(1, f"cannot be read: {error.strerror}")
        raise ClusterError(str(path), [unread]) from error
    return load(content, str(path))


def _of_models(root: Node) -> Iterator[Problem]:
    # One by one, so that a slip in one model does not hide what is wrong with the others.
    models = root.at(MODELS).value
    for node in models if isinstance(models, list) else ():
        model = fit(node, SelfHostedModel, "", [])
        if model is not None:
            yield from check_model(model, node)


def _ours(root: Node, problems: list[Problem]) -> tuple[Node, tuple[str, ...]]:
    if not isinstance(root.value, dict):
        return root, ()
    ours, ignored = {}, []
    for name, node in root.value.items():
        meant = None if name in _THEIRS else _meant(name)
        if name in OURS:
            ours[name] = node
        elif meant is not None:
            text = f'unknown option "{name}"; did you mean "{meant}"?'
            problems.append(Problem(node.line, text))
        elif name.startswith(PREFIX):
            ignored.append(name)
    return Node(root.line, ours, root.size, root.depth), tuple(ignored)


def _meant(name: str) -> str | None:
    """Return the option of ours that `name` is probably a slip for."""
    near = difflib.get_close_matches(name, sorted(OURS), n=1, cutoff=_TYPO_ANYWHERE)
    if name.startswith(PREFIX) and not near:
        ends = {option.removeprefix(PREFIX): option for option in sorted(OURS)}
        found = difflib.get_close_matches(name.removeprefix(PREFIX), ends, n=1, cutoff=_TYPO)
        near = [ends[end] for end in found]
    return near[0] if near else None
