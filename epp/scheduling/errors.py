"""What a plugin can do wrong."""

from __future__ import annotations


class PluginError(Exception):
    """A plugin broke its contract: a bug, and usually in somebody else's plugin."""
