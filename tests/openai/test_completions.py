from __future__ import annotations

import pytest

from tests.openai.asking import COMPLETIONS, refused, understood

GENERATE = "/inference/v1/generate"


def test_a_prompt_may_be_text_or_token_ids() -> None:
    assert understood(COMPLETIONS, prompt="Hi").prompt == "Hi"
    assert understood(COMPLETIONS, prompt=["Hi", "you"]).prompt == "Hi\x1e,you"
    assert understood(COMPLETIONS, prompt=[1, 2, 3]).prompt == "\x1e#1,2,3,"


@pytest.mark.parametrize("prompt", [[], "", None, ["a", 1], [1, "a"], {"a": 1}])
def test_a_prompt_that_is_none_is_refused(prompt: object) -> None:
    invalid = refused(COMPLETIONS, model="m", prompt=prompt)
    assert (invalid.param, invalid.status) == ("prompt", 400)


def test_embeddings_of_a_prompt_stand_for_it() -> None:
    alone = understood(COMPLETIONS, prompt_embeds="AAAA").prompt
    assert alone.startswith("\x1e@prompt_embeds:")
    assert understood(COMPLETIONS, prompt_embeds="AAAA", prompt="Hi").prompt == alone + "Hi"
    assert refused(COMPLETIONS, prompt_embeds=None).param == "prompt"


def test_generate_takes_token_ids_and_the_limit_of_its_sampling_parameters() -> None:
    request = understood(GENERATE, token_ids=[1, 2], sampling_params={"max_tokens": 5})
    assert (request.operation, request.prompt, request.max_tokens) == ("generate", "\x1e#1,2,", 5)
    assert understood(GENERATE, token_ids=[1], sampling_params=None).max_tokens is None
    assert refused(GENERATE, model="m").param == "token_ids"


def test_generate_tells_images_apart_that_have_the_same_token_ids() -> None:
    prompts = {
        understood(GENERATE, token_ids=[1], features={"mm_hashes": {"image": [h]}}).prompt
        for h in ("a", "b")
    }
    assert len(prompts) == 2


@pytest.mark.parametrize(
    ("path", "param"), [("/v1/images/generations", "prompt"), ("/v1/audio/speech", "input")]
)
def test_images_and_speech_need_their_text(path: str, param: str) -> None:
    assert understood(path, **{param: "A cat"}).prompt == "A cat"
    assert refused(path, model="m").code == "missing_required_parameter"
    assert refused(path, **{param: ""}).code == "empty_value"
    assert refused(path, **{param: ["A cat"]}).param == param
