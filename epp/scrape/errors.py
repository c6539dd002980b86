"""What can go wrong with one scrape."""

from __future__ import annotations

from typing import Literal

# llama.cpp says 501 for a page that it was not started with; any other 5xx is trouble.
_ABSENT = frozenset({"400", "401", "403", "404", "405", "410", "501"})

Kind = Literal[
    "address",  # the metrics URL cannot be used
    "engine",  # no table of metric names for the endpoint's engine
    "connect",  # refused, unreachable, reset before an answer
    "tls",  # handshake or certificate
    "timeout",  # the exchange did not end within its deadline
    "status",  # anything but 200; redirects are not followed
    "too-large",
    "encoding",  # a content encoding that was not asked for and cannot be undone
    "malformed",  # not HTTP, or cut short
    "empty",  # a page with none of the engine's metrics, or none that can be believed
]


class ScrapeError(Exception):
    """A scrape that gave no load; `kind` is short and from a fixed list, for counting."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind: Kind = kind
        self.detail = detail

    @property
    def means_absent(self) -> bool:
        """Whether the server works, and has no page there that can be used."""
        if self.kind == "status":
            return self.detail in _ABSENT
        return self.kind in {"too-large", "encoding"}
