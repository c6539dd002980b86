"""Values that must not be seen."""

from __future__ import annotations

from typing import Any

import msgspec


class Private(msgspec.Struct, frozen=True):
    """A struct with secrets in it: no repr of it, in a log or a traceback, shows a field."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # what rich shows in place of __repr__
        return []
