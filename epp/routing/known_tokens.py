"""The tokens of prompts that came before: a later turn of a conversation begins with them."""

from __future__ import annotations

from itertools import pairwise

from xxhash import xxh3_64

from epp.openai.tokenizable import token_ids, turn_ends
from epp.scheduling.tokens import TOKEN_BYTES, Tokens, pack

_ENTRY_BYTES = 200  # of the tables, beside the tokens
_SHARED_TURNS = 4  # what conversations have in common is over by then
_MEETINGS = 8192


class KnownTokens:
    """Token ids by what of a prompt they are; `max_bytes` bounds them, the latest are kept.

    Two prompts that begin with the same messages have the same tokens at the beginning: so what is
    learned of both tells of all that begin so.
    """

    def __init__(self, max_bytes: int) -> None:
        self._half = max_bytes // 2
        self._young: dict[int, bytes] = {}
        self._old: dict[int, bytes] = {}
        self._size = 0  # of the young
        self._met: dict[int, int] = {}  # where messages end, to the last prompt that had them

    def __repr__(self) -> str:
        return f"<KnownTokens {len(self._young) + len(self._old)} prompts>"

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, model: str, prompt: str) -> Tokens | None:
        """Return the tokens that are known of a prompt's beginning."""
        if (ids := token_ids(prompt)) is not None:
            return _packed(ids)
        if not self._young and not self._old:
            return None
        marks = _marks(model, prompt)
        for digest, reach in reversed(marks):
            if (data := self._get(digest)) is not None:
                return Tokens(data, reach / marks[-1][1])
        return None

    def learn(self, model: str, prompt: str, ids: list[int]) -> None:
        """Remember what a server said the tokens of a whole prompt are."""
        tokens = _packed(ids)
        if tokens is None:
            return
        *inner, (whole, _) = _marks(model, prompt)
        self._put(whole, tokens.data)
        for digest, _ in inner[:_SHARED_TURNS]:
            met = self._met.get(digest, whole)
            if met != whole and (other := self._get(met)) and self._get(digest) is None:
                self._put(digest, _common(tokens.data, other))
            if len(self._met) >= _MEETINGS:
                self._met.clear()
            self._met[digest] = whole

    def _get(self, digest: int) -> bytes | None:
        if (data := self._young.get(digest)) is not None:
            return data
        if (data := self._old.pop(digest, None)) is not None:
            self._put(digest, data)
        return data

    def _put(self, digest: int, data: bytes) -> None:
        size = len(data) + _ENTRY_BYTES
        if size > self._half:
            return
        if self._size + size > self._half:
            self._young, self._old, self._size = {}, self._young, 0
        if digest not in self._young:
            self._size += size
        self._young[digest] = data


def _marks(model: str, prompt: str) -> list[tuple[int, int]]:
    """Return a digest of the prompt up to each end of a message, and the bytes up to there."""
    digest = xxh3_64(f"{len(model)}:{model}".encode("utf-8", "surrogatepass"))
    marks, reach = [], 0
    for start, end in pairwise([0, *turn_ends(prompt)]):
        piece = prompt[start:end].encode("utf-8", "surrogatepass")
        digest.update(piece)
        reach += len(piece)
        marks.append((digest.intdigest(), reach))
    return marks


def _packed(ids: list[int]) -> Tokens | None:
    try:
        return Tokens(pack(ids))
    except OverflowError:
        return None


def _common(one: bytes, other: bytes) -> bytes:
    """Return the tokens with which both begin."""
    low, high = 0, min(len(one), len(other)) // TOKEN_BYTES
    while low < high:
        middle = (low + high + 1) // 2
        if one[: middle * TOKEN_BYTES] == other[: middle * TOKEN_BYTES]:
            low = middle
        else:
            high = middle - 1
    return one[: low * TOKEN_BYTES]
