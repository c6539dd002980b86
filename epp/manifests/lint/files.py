"""Which files are checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from epp.manifests.lint.objects import Contents, objects_in, unreadable

_SUFFIXES = frozenset({".yaml", ".yml"})


def read_files(paths: Sequence[Path]) -> Contents:
    """Return what is in `paths`; of folders, in all of their YAML files."""
    read = [contents for path in paths for contents in _read_path(path)]
    return Contents(
        tuple(manifest for contents in read for manifest in contents.objects),
        tuple(finding for contents in read for finding in contents.unreadable),
    )


def _read_path(path: Path) -> Iterator[Contents]:
    if not path.is_dir():
        yield _read(path)
        return
    for file in sorted(path.rglob("*")):
        if file.suffix in _SUFFIXES and file.is_file() and not _is_template(file):
            yield _read(file, must_be_objects=False)


def _read(file: Path, *, must_be_objects: bool = True) -> Contents:
    try:
        content = file.read_bytes()
    except OSError as error:
        return Contents((), (unreadable(str(file), 1, f"cannot be read: {error.strerror}"),))
    if b"apiVersion" not in content and not must_be_objects:
        return Contents((), ())  # YAML for something else, which may be of any kind
    return objects_in(str(file), content)


def _is_template(file: Path) -> bool:
    # A Helm chart's templates are no YAML before they are rendered.
    return any(
        folder.name == "templates" and (folder.parent / "Chart.yaml").is_file()
        for folder in file.parents
    )
