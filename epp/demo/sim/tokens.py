"""Text as tokens of four bytes, and answers made of words that are tokens."""

from __future__ import annotations

from random import Random

from xxhash import xxh3_64_intdigest

TOKEN_BYTES = 4

# Three letters and a space are one token each: an answer that comes back in the next turn's
# prompt has the very bytes that were generated, so its blocks are found in the cache.
_WORDS = (
    "all and any are ask bay bed big bit bus but buy can car cat cup day did dog dry ear eat "
    "egg end eye far few fit fly for fox fun get guy had has hat hen her him his hot how ice "
    "ink its jar job joy key kit law leg let lid lip log lot low man map may men mix mud new "
    "nor not now nut oak odd off oil old one our out own pan pen pet pie pig pot put ran raw "
    "red rib row run sad sat saw sea see set she shy sit six sky sun tax tea ten the tie tin "
    "too top toy try two use van war was way web wet who why win wig yes yet you zoo "
)
WORDS = tuple(_WORDS[start : start + TOKEN_BYTES] for start in range(0, len(_WORDS), TOKEN_BYTES))

SHORTEST, LONGEST = 16, 256


def encode(*segments: str) -> bytes:
    """Return the segments as whole tokens; no token spans two, as around special tokens."""
    return b"".join(_padded(segment.encode()) for segment in segments)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % TOKEN_BYTES)


def fingerprint(content: bytes, seed: int) -> int:
    """Return the number from which the answer to a prompt is made."""
    return xxh3_64_intdigest(content, seed=seed)


def word(fingerprint: int, position: int) -> str:
    """Return the answer's word at `position`: the same prompt gets the same answer."""
    return WORDS[xxh3_64_intdigest(position.to_bytes(4), seed=fingerprint) % len(WORDS)]


def answer_length(fingerprint: int) -> int:
    """Draw how long the model would talk if nobody stopped it: most answers around 80 tokens."""
    drawn = Random(fingerprint).lognormvariate(mu=4.4, sigma=0.6)
    return min(LONGEST, max(SHORTEST, round(drawn)))


def extend_keys(keys: list[int], content: bytes | bytearray, block_size: int, root: int) -> None:
    """Append the keys of the full blocks of `content` that `keys` does not have yet.

    A key stands for its block and all before it; `root` keeps apart prompts that share text but
    not the cache, such as those of two adapters.
    """
    size = block_size * TOKEN_BYTES
    key = keys[-1] if keys else root
    for start in range(len(keys) * size, len(content) - size + 1, size):
        key = xxh3_64_intdigest(content[start : start + size], seed=key)
        keys.append(key)
