from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from d2c.clients.clocks import clock_skew
from d2c.errors import TransientError

from .errors import error_of


def answering(monkeypatch, answer):
    @contextmanager
    def stream(method, url, **_):
        if isinstance(answer, Exception):
            raise answer
        yield answer

    monkeypatch.setattr(httpx, "stream", stream)


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_server_tells_its_time_even_where_it_refuses(monkeypatch, status):
    ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    answering(monkeypatch, httpx.Response(status, headers={"Date": ahead}))
    assert abs(clock_skew("https://lake.blob.core.windows.net/") - timedelta(minutes=10)) < timedelta(
        minutes=1
    )


@pytest.mark.parametrize(
    "answer",
    [httpx.ConnectError("refused"), httpx.Response(200), httpx.Response(200, headers={"Date": "soon"})],
)
def test_a_server_that_does_not_tell_is_named_by_its_host(monkeypatch, answer):
    answering(monkeypatch, answer)
    error = error_of(lambda: clock_skew("https://lake.blob.core.windows.net/?sig=c2ln"))
    assert type(error) is TransientError
    assert "lake.blob.core.windows.net" in error.detail
    assert "c2ln" not in str(error)
