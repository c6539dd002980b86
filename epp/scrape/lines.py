"""Where one name's lines stand on a page."""

from __future__ import annotations

# Pages are much alike: what stands above the name grew or shrank by a few digits. A search begun
# this far before the last place nearly always meets the name at once.
_SLACK_BYTES = 256


class Lines:
    """Finds the lines of one name, beginning where they stood on the page before.

    They stand together, under the one `# TYPE` (or `# HELP`) line of the name: the text format
    says so. Hence that line with the name below it is what is searched for: it cannot match in
    the midst of the group. A page without such lines is searched from its top every time.
    """

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._mark = b""
        self._near = 0

    def find(self, page: bytes) -> list[bytes]:
        """Return what follows the name on each of its lines."""
        start = self._start(page)
        if start < 0:
            return []
        found: list[bytes] = []
        while True:
            end = page.find(b"\n", start)
            if end < 0:
                found.append(page[start + len(self._name) :])
                return found
            found.append(page[start + len(self._name) : end])
            start = end + 1
            if not (page.startswith(self._name, start) and self._is_whole(page, start)):
                return found

    def _start(self, page: bytes) -> int:
        if self._mark:
            found = page.find(self._mark, self._near)
            if found >= 0:
                self._near = max(0, found - _SLACK_BYTES)
                return found + len(self._mark) - len(self._name) - 1
        return self._search(page)

    def _search(self, page: bytes) -> int:
        """Search all of the page, and learn where and under what the name stands."""
        start = 0
        while not (page.startswith(self._name, start) and self._is_whole(page, start)):
            start = page.find(b"\n" + self._name, start) + 1
            if start == 0:
                return -1
        above = page.rfind(b"\n", 0, max(0, start - 1)) + 1
        if page.startswith((b"# TYPE " + self._name, b"# HELP " + self._name), above):
            self._mark = page[above : start + len(self._name) + 1]
            self._near = max(0, above - _SLACK_BYTES)
        return start

    def _is_whole(self, page: bytes, start: int) -> bool:
        """Tell the name from a longer one that begins with it."""
        end = start + len(self._name)
        return page[end : end + 1] in (b"{", b" ", b"\t")
