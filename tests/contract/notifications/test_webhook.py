"""The webhook's client against a real server on loopback; the receiver's side is the real ``standardwebhooks``."""

import base64
import hmac
import json
import logging
import time

import httpx
import pytest
from standardwebhooks import Webhook as Receiver
from standardwebhooks import WebhookVerificationError

from d2c.clients.webhook import Webhook, connect_webhook
from d2c.errors import TransientError
from tests.contract.notifications.server import serving
from tests.contract.polling import HANG_SECONDS
from tests.unit.clients.settings import local_settings

SECRET = "whsec_" + "c2VjcmV0" * 4
EVENT = json.dumps({"id": "evt_1", "data": {"name": "Müller"}}).encode()


async def send(server, event_id="evt_1", timeout_seconds=HANG_SECONDS):
    async with httpx.AsyncClient(trust_env=False) as client:
        await Webhook(client, server.url, SECRET, timeout_seconds).send(event_id, EVENT)


async def test_the_receivers_own_library_accepts_the_signature():
    with serving(200) as server:
        await send(server)
        ((path, headers, body),) = server.requests
    assert Receiver(SECRET).verify(body, headers) == json.loads(EVENT)
    assert (path, headers["webhook-id"]) == ("/hook?token=secret-token", "evt_1")
    assert headers["content-type"] == "application/cloudevents+json"


async def test_the_signature_is_an_hmac_of_id_time_and_body():
    with serving(200) as server:
        await send(server)
        ((_, headers, body),) = server.requests
    signed = f"evt_1.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.digest(base64.b64decode(SECRET.removeprefix("whsec_")), signed, "sha256")
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60


async def test_it_refuses_a_body_or_an_id_that_was_changed_on_the_way():
    with serving(204) as server:
        await send(server)
        ((_, headers, body),) = server.requests
    for changed in ((body + b" ", headers), (body, {**headers, "webhook-id": "evt_2"})):
        with pytest.raises(WebhookVerificationError):
            Receiver(SECRET).verify(*changed)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (500, "answered 500"),
        (400, "answered 400"),
        (410, "answered 410"),
        (302, "answered 302"),
        ("hangs up", "could not be reached"),
    ],
)
async def test_what_is_no_success_is_told_without_the_addresss_token_and_may_heal(fault, words):
    with serving(fault) as server:
        with pytest.raises(TransientError) as raised:
            await send(server)
        assert len(server.requests) == 1
    assert raised.value.detail.startswith(f"The webhook at 127.0.0.1 {words}")
    assert "secret-token" not in str(raised.value)


@pytest.mark.parametrize("silence", ["hangs", "drips"])
async def test_a_receiver_that_does_not_end_its_answer_is_told_and_may_heal(silence):
    with serving(silence) as server:
        with pytest.raises(TransientError) as raised:
            await send(server, timeout_seconds=0.2)
        # On a busy machine the time may be over before the server has seen anything.
        assert len(server.requests) <= 1
    assert raised.value.detail.startswith("The webhook at 127.0.0.1 did not answer within 0.2 seconds")
    assert "secret-token" not in str(raised.value)


async def test_no_log_line_holds_the_addresss_token_or_the_secret(caplog):
    with caplog.at_level(logging.DEBUG), serving(200) as server:
        await send(server)
    assert "httpcore" in {record.name.partition(".")[0] for record in caplog.records}
    assert not [text for text in ("secret-token", SECRET) if text in caplog.text]


async def test_a_receiver_that_fails_twice_gets_the_same_event_under_the_same_id_a_third_time():
    with serving(500, "hangs up", 200) as server:
        for _ in range(2):
            with pytest.raises(TransientError):
                await send(server)
        await send(server)
        assert {headers["webhook-id"] for _, headers, _ in server.requests} == {"evt_1"}
        assert {body for *_, body in server.requests} == {EVENT}


async def test_nobody_at_the_address_is_told_too():
    with serving(200) as server:
        url = server.url
    settings = local_settings(D2C_WEBHOOK_URL=url, D2C_WEBHOOK_SECRET=SECRET)
    async with connect_webhook(settings) as webhook:
        with pytest.raises(TransientError, match="could not be reached"):
            await webhook.send("evt_1", EVENT)


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(200) as server:
        settings = local_settings(D2C_WEBHOOK_URL=server.url, D2C_WEBHOOK_SECRET=SECRET)
        async with connect_webhook(settings) as webhook:
            await webhook.send("evt_1", EVENT)
        assert len(server.requests) == 1
