from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack

import httpx
import pytest

from epp.kube.access import Access
from epp.kube.client import KubeClient
from epp.kube.credentials import Credential, ReadCredentials
from epp.kube.errors import (
    AccessError,
    KubeError,
    StalledError,
    UnreachableError,
    UnreadableError,
)
from epp.kube.find_access import find_access
from epp.kube.trust import Trust
from tests.fakekube.kinds import LEASE, POD
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod
from tests.kube.script import Piece, Script, fails, lists, says

PODS = POD.path("default")


class Rotating:
    """A credential that is replaced when it is refused."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.renewals = 0

    async def get(self) -> Credential:
        return Credential(token=self.tokens[0])

    async def renew(self, refused: Credential) -> Credential:
        assert refused.token == self.tokens[0]
        self.renewals += 1
        if len(self.tokens) > 1:
            self.tokens.pop(0)
        return await self.get()


async def test_objects_are_read_written_and_made(kube: FakeKube, client: KubeClient) -> None:
    made = await client.post(
        LEASE.path("default"),
        b'{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"x"},"spec":{}}',
    )
    assert b'"resourceVersion"' in made
    changed = made.replace(b'"spec":{}', b'"spec":{"holderIdentity":"me"}')
    assert b'"me"' in await client.put(LEASE.path("default", "x"), changed)
    assert b'"me"' in await client.get(LEASE.path("default", "x"))
    with pytest.raises(KubeError) as caught:
        await client.put(LEASE.path("default", "x"), changed)
    assert caught.value.status == 409


async def test_a_refusal_is_an_error_with_the_servers_words(client: KubeClient) -> None:
    with pytest.raises(KubeError, match='404: pods "nobody" not found') as caught:
        await client.get(f"{PODS}/nobody")
    assert caught.value.reason == "NotFound"


async def test_a_watch_gives_lines(kube: FakeKube, client: KubeClient) -> None:
    kube.apply(pod("a"))
    async with client.watch(PODS, {}, idle_s=5.0) as read:
        assert b'"name":"a"' in (await anext(read))[0]
        kube.apply(pod("b"))
        assert b'"name":"b"' in (await anext(read))[0]
    async with asyncio.timeout(10):
        while kube.watches:  # the connection of a watch that is left is closed
            await client.get(PODS)


async def test_a_silent_watch_is_stalled(kube: FakeKube, client: KubeClient) -> None:
    with pytest.raises(StalledError):
        async with client.watch(PODS, {}, idle_s=0.05) as read:
            await anext(read)


async def test_a_server_that_is_not_there_is_named_with_the_reason(
    kube: FakeKube, client: KubeClient
) -> None:
    kube.stop_listening()
    with pytest.raises(UnreachableError, match=f"{kube.url}: .*Connect call failed"):
        await client.get(PODS)


async def test_a_server_of_another_authority_is_not_talked_to(kube: FakeKube) -> None:
    access = Access(kube.url, ReadCredentials(lambda: Credential(token=kube.token)))
    client = KubeClient(access)
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        await client.get(PODS)
    await client.aclose()
    assert kube.requests == []


async def test_a_server_may_be_known_by_another_name(kube: FakeKube) -> None:
    ca = await asyncio.to_thread(kube.ca.read_bytes)
    for name, known in (("localhost", True), ("elsewhere.example", False)):
        credentials = ReadCredentials(lambda: Credential(token=kube.token))
        client = KubeClient(Access(kube.url, credentials, Trust(ca, server_name=name)))
        if known:
            assert await client.get(PODS)
        else:
            with pytest.raises(UnreachableError, match=r"not valid for 'elsewhere\.example'"):
                await client.get(PODS)
        await client.aclose()


async def test_a_token_that_is_refused_is_renewed_once_and_the_request_repeated() -> None:
    script = Script(says(401), lists("5"), says(401), says(401))
    credentials = Rotating("old", "new", "newest")
    client = script.client(credentials)
    assert b"PodList" in await client.get(PODS)
    sent = [request.headers["authorization"] for request in script.requests]
    assert sent == ["Bearer old", "Bearer new"]
    with pytest.raises(KubeError) as caught:
        await client.get(PODS)
    assert caught.value.status == 401
    assert credentials.renewals == 2
    await client.aclose()


async def test_a_refused_token_that_nothing_replaces_is_not_sent_again() -> None:
    script = Script(says(401, b"no"))
    client = script.client(Rotating("only"))
    with pytest.raises(KubeError, match="401: no"):
        await client.get(PODS)
    assert len(script.requests) == 1
    await client.aclose()


async def test_another_client_certificate_means_other_connections(kube: FakeKube) -> None:
    client = KubeClient(await find_access(kube.certificate_kubeconfig("ada")))
    async with AsyncExitStack() as stack:
        read = await stack.enter_async_context(client.watch(PODS, {}, idle_s=5.0))
        before = set(kube.connections)
        kube.certificate_kubeconfig("bob")
        for kind in ("crt", "key"):
            (kube.service_account / f"bob.{kind}").replace(kube.service_account / f"ada.{kind}")
        former = await client.access.credentials.get()
        assert await client.access.credentials.renew(former) != former
        assert await client.get(PODS)
        assert set(kube.connections) - before
        with pytest.raises(UnreachableError) as caught:
            await anext(read)  # its connection was made with the former certificate
        assert not isinstance(caught.value, StalledError)
    await client.aclose()


async def test_an_endless_answer_is_cut() -> None:
    script = Script(says(200, *[b"x" * (1 << 20)] * 65), says(500, *[b"x" * (1 << 10)] * 65))
    client = script.client()
    with pytest.raises(UnreadableError, match="more than"):
        await client.get(PODS)
    with pytest.raises(KubeError, match="500: Internal Server Error"):
        await client.get(PODS)
    await client.aclose()


@pytest.mark.looptime
async def test_an_answer_that_drips_is_given_up() -> None:
    drip: list[Piece] = [b" ", 1.0] * 500
    client = Script(says(200, *drip)).client(timeout_s=10.0)
    with pytest.raises(StalledError, match="takes too long"):
        await client.get(PODS)
    assert asyncio.get_running_loop().time() == 20
    await client.aclose()


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectTimeout("slow"),
        httpx.RemoteProtocolError("not HTTP"),
        httpx.StreamClosed(),
        httpx.PoolTimeout("busy"),
    ],
)
async def test_whatever_httpx_raises_is_an_error_of_ours(error: Exception) -> None:
    client = Script(fails(error)).client()
    with pytest.raises(UnreachableError):
        await client.get(PODS)
    await client.aclose()


async def test_a_redirect_is_not_followed() -> None:
    client = Script(says(302, headers={"Location": "http://elsewhere/"})).client()
    with pytest.raises(KubeError, match="302"):
        await client.get(PODS)
    await client.aclose()


async def test_a_server_may_have_a_path_of_its_own() -> None:
    script = Script(lists("5"))
    access = Access("http://kube/k8s/clusters/c-1", Rotating("t"))
    client = KubeClient(access, transport=lambda _: script)
    await client.get(PODS, {"labelSelector": "a in (b,c)"})
    url = script.requests[0].url
    assert url.path == f"/k8s/clusters/c-1{PODS}"
    assert url.params["labelSelector"] == "a in (b,c)"
    await client.aclose()


async def test_no_secret_is_in_a_repr() -> None:
    client = Script().client()
    assert repr(client) == "<KubeClient of http://kube>"
    assert "secret-token" not in repr(client.access)
    await client.aclose()


async def test_a_closed_client_opens_new_connections(kube: FakeKube, client: KubeClient) -> None:
    await client.get(PODS)
    await client.aclose()
    await client.aclose()
    assert await client.get(PODS)


async def test_what_cannot_be_a_certificate_is_told_at_the_request() -> None:
    bad = Credential(certificate=b"no", key=b"pem")
    client = Script().client(ReadCredentials(lambda: bad))
    with pytest.raises(AccessError, match="both are PEM"):
        await client.get(PODS)


async def test_connections_are_made_by_the_trust_of_the_access() -> None:
    seen: list[ssl.SSLContext] = []
    script = Script(lists("1"))

    def transport(tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
        seen.append(tls)
        return script

    access = Access("http://kube", Rotating("t"), Trust(verify=False))
    client = KubeClient(access, transport=transport)
    await client.get(PODS)
    assert [tls.verify_mode for tls in seen] == [ssl.CERT_NONE]
    await client.aclose()
