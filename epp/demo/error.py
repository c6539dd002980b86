"""What goes wrong on a laptop."""

from __future__ import annotations


class DemoError(Exception):
    """Envoy, a port or a replica cannot be had; the message says what to do."""
