import httpx
import pytest

from d2c.clients.durable_client import CONTINUATION, all_pages, twice


def failing(*errors):
    """Return a call that raises one error after the other, then returns how often it was called."""
    left = list(errors)

    async def call():
        if left:
            raise left.pop(0)
        return len(errors) + 1

    return call


async def test_a_call_whose_session_another_one_closed_is_made_again():
    assert await twice(failing(RuntimeError("Session is closed"))) == 2


@pytest.mark.parametrize(
    "errors",
    [
        [Exception("An Orchestration instance with the status Running already exists.")],
        [TimeoutError()],
        [RuntimeError("Session is closed"), RuntimeError("Session is closed")],
    ],
)
async def test_what_the_host_refused_and_what_fails_again_is_raised(errors):
    last = errors[-1]
    with pytest.raises(type(last)) as raised:
        await twice(failing(*errors))
    assert raised.value is last


def test_every_page_is_read_whatever_is_on_it():
    pages = {"": (["a"], "MQ=="), "MQ==": ([], "Mg=="), "Mg==": (["b"], "")}
    asked = []

    def answer(request):
        asked.append(request.url.params["instanceIdPrefix"])
        found, following = pages[request.headers.get(CONTINUATION, "")]
        return httpx.Response(200, json=found, headers={CONTINUATION: following})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    assert all_pages("http://host/instances/", {"instanceIdPrefix": "m:"}, client) == ["a", "b"]
    assert asked == ["m:"] * 3
