"""A prompt as a chain of hashes."""

from __future__ import annotations

from xxhash import xxh3_64_intdigest


def block_hashes(prompt: str, *, root: int, block_bytes: int, max_blocks: int) -> list[int]:
    """Return one hash for each whole block of the prompt's UTF-8.

    A hash is the seed of the next one, so it stands for all of the prompt up to its block's end.
    """
    data = prompt[: max_blocks * block_bytes].encode("utf-8", "surrogatepass")
    end = min(max_blocks, len(data) // block_bytes) * block_bytes
    hashes, previous = [], root
    for start in range(0, end, block_bytes):
        previous = xxh3_64_intdigest(data[start : start + block_bytes], previous)
        hashes.append(previous)
    return hashes


def root_hash(seed: int, *parts: str) -> int:
    """Return the hash that a chain starts from.

    Prompts share blocks only if all `parts` are equal. With a secret seed, nobody can find out by
    timing which prompts others have sent with another `cache_salt`.
    """
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return xxh3_64_intdigest(framed.encode("utf-8", "surrogatepass"), seed)
