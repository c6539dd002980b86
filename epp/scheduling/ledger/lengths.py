"""How long the prompts and the answers of a model are."""

from __future__ import annotations

_DECAY = 0.98
_PRIOR_CHARS = 4000.0  # of evidence for four characters a token, as in English text
_CHARS_PER_TOKEN = 4.0
_PRIOR_OUTPUT = 256.0  # tokens of an answer, until some were seen
_PRIOR_ANSWERS = 4.0
_MOST_MODELS = 1024  # names come from clients


class ModelLengths:
    """What one model's requests taught, older ones counting less."""

    __slots__ = ("_answers", "_chars", "_output", "_tokens")

    def __init__(self) -> None:
        self._chars = _PRIOR_CHARS
        self._tokens = _PRIOR_CHARS / _CHARS_PER_TOKEN
        self._answers = _PRIOR_ANSWERS
        self._output = _PRIOR_ANSWERS * _PRIOR_OUTPUT

    def __repr__(self) -> str:
        return f"<ModelLengths {self.tokens_per_char:.3f} tokens/char, {self.output:.0f} out>"

    @property
    def tokens_per_char(self) -> float:
        """Tokens of a prompt for each of its characters."""
        return self._tokens / self._chars

    @property
    def output(self) -> float:
        """The mean length of an answer, in tokens."""
        return self._output / self._answers

    def learn_prompt(self, chars: int, tokens: int) -> None:
        """Take note of a prompt's length as the server counted it."""
        if chars > 0 and tokens > 0:
            self._chars = self._chars * _DECAY + chars
            self._tokens = self._tokens * _DECAY + tokens

    def learn_answer(self, tokens: int) -> None:
        """Take note of an answer's length."""
        if tokens >= 0:
            self._answers = self._answers * _DECAY + 1.0
            self._output = self._output * _DECAY + tokens


class Lengths:
    """The lengths of each model that answered."""

    def __init__(self) -> None:
        self._models: dict[str, ModelLengths] = {}
        self._unknown = ModelLengths()

    def __repr__(self) -> str:
        return f"<Lengths of {len(self._models)} models>"

    def of(self, model: str) -> ModelLengths:
        """Return what is known of a model; of one that has not answered yet, what is usual."""
        return self._models.get(model, self._unknown)

    def learn(
        self, model: str, chars: int, prompt_tokens: int | None, completion_tokens: int | None
    ) -> None:
        """Take note of a request that was answered."""
        if prompt_tokens is None and completion_tokens is None:
            return
        known = self._models.get(model) or self._add(model)
        if prompt_tokens is not None:
            known.learn_prompt(chars, prompt_tokens)
        if completion_tokens is not None:
            known.learn_answer(completion_tokens)

    def _add(self, model: str) -> ModelLengths:
        if len(self._models) >= _MOST_MODELS:
            del self._models[next(iter(self._models))]
        known = self._models[model] = ModelLengths()
        return known
