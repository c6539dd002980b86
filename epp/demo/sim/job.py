"""A request as the engine sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from epp.demo.sim.tokens import TOKEN_BYTES, extend_keys, word


@dataclass(slots=True, eq=False)
class Job:
    """Tokens to be computed and tokens to be generated.

    `content` begins as the prompt and grows by the answer. `computed` counts the tokens whose keys
    and values are in memory; when nothing is missing, the next token can be sampled.
    """

    content: bytearray = field(repr=False)
    fingerprint: int
    max_tokens: int
    arrived_at: float
    reason: str = "length"  # why it ends at max_tokens: told to, or the model had no more to say
    adapter: str = ""
    cache_salt: str = ""
    root: int = 0  # of the block keys
    prompt_tokens: int = field(init=False)
    keys: list[int] = field(default_factory=list, repr=False)
    blocks: list[int] = field(default_factory=list, repr=False)
    computed: int = 0
    generated: int = 0
    cached: int = 0  # prompt tokens found in the cache at first admission
    preemptions: int = 0
    admitted: bool = False
    first_token_at: float | None = None
    last_token_at: float | None = None
    done: bool = False

    def __post_init__(self) -> None:
        self.prompt_tokens = self.tokens

    @property
    def tokens(self) -> int:
        """Prompt and answer so far."""
        return len(self.content) // TOKEN_BYTES

    @property
    def missing(self) -> int:
        """Tokens that must be computed before the next can be sampled."""
        return self.tokens - self.computed

    @property
    def longest(self) -> int:
        """Prompt and answer at the end."""
        return self.prompt_tokens + self.max_tokens

    def hash_blocks(self, block_size: int) -> None:
        """Bring the keys up to the last full block."""
        extend_keys(self.keys, self.content, block_size, self.root)

    def sample(self) -> str:
        """Append the next word of the answer and return it."""
        text = word(self.fingerprint, self.generated)
        self.content += text.encode()
        self.generated += 1
        return text
