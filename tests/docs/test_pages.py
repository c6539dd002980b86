"""The pages hang together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from epp.exchange import request
from epp.routing import headers, refusals
from epp.server.codec import REASON
from epp.server.health import LIVENESS, READINESS
from tests.docs.pages import DOCS, PAGES, ROOT, anchors, links

ALL = [*PAGES, *sorted(ROOT.glob("deploy/*.md")), *sorted(ROOT.glob("[A-Z]*.md"))]
PROTOCOL = DOCS / "protocol.md"


@pytest.mark.parametrize("page", sorted(set(ALL)), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_index_has_every_page() -> None:
    listed = set(links(DOCS / "README.md"))

    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= listed


def test_the_protocol_page_names_every_header_and_reason() -> None:
    text = PROTOCOL.read_text()
    names = [
        *(request.DESTINATION, headers.MODEL, headers.REQUEST_ID, REASON),
        *headers.CONTROL,
        *(refusals.MALFORMED, refusals.NO_ENDPOINTS, refusals.SATURATED),
        *(name for name in (LIVENESS, *READINESS) if name),
    ]

    assert [name for name in names if f"`{name}`" not in text] == []


# Written as headers are, but of other things: a line in prompts, an encoding.
NO_HEADERS = {"x-anthropic-billing-header", "x-gzip"}


def test_the_protocol_page_names_whatever_looks_like_a_header_in_the_code() -> None:
    text = PROTOCOL.read_text()
    sources = [path for path in (ROOT / "epp").rglob("*.py") if "demo" not in path.parts]
    written = {
        name for path in sources for name in re.findall(r'"(x-[a-z0-9-]+)"', path.read_text())
    }
    assert {"x-ai-eg-model", "x-session-token"} <= written

    assert [name for name in sorted(written - NO_HEADERS) if f"`{name}`" not in text] == []
