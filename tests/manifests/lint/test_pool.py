from __future__ import annotations

from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.objects import objects_in
from tests.manifests.lint.planted import CLEAN


def test_a_pool_is_read_as_the_gateway_does() -> None:
    llama, embed = Manifests(objects_in("f", CLEAN.encode()).objects).pools
    assert (llama.buffered, llama.override) == (False, False)
    assert (embed.buffered, embed.override) == (True, True)
    assert llama.selector == {"app": "llama"}
    assert (llama.picker, llama.picker_port) == ("llama-epp", 9002)
    assert len(llama.target_ports) == 2


def test_only_the_very_words_count() -> None:
    text = CLEAN.replace("body-mode: buffered", "body-mode: Buffered").replace('"true"', '"True"')
    _, embed = Manifests(objects_in("f", text.encode()).objects).pools
    assert (embed.buffered, embed.override) == (False, False)
