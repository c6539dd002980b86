"""The parts of a Markdown page that a program can check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [page for page in (*sorted(DOCS.glob("*.md")), ROOT / "README.md") if page.is_file()]

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


class Block(msgspec.Struct, frozen=True):
    """A fenced block and where it is."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(page.name, line, match[2], match[3])


def rows(page: Path, *header: str) -> list[list[str]]:
    """The rows of the tables under `header`, cell by cell."""
    lines = [_cells(line) for line in page.read_text().splitlines()]
    starts = [i for i, cells in enumerate(lines) if cells == list(header)]
    assert starts, f"{page.name} has no table with the columns {header}"
    found = []
    for start in starts:
        for cells in lines[start + 2 :]:
            if not cells:
                break
            found.append(cells)
    return found


def code(cell: str) -> list[str]:
    """What stands between backticks."""
    return _CODE.findall(cell)


def links(page: Path) -> list[str]:
    """Where the page's links lead."""
    return _LINK.findall(_BLOCK.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    """The names by which a link can reach the page's headings."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
