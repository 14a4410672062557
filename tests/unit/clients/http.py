"""An HTTP transport for Azure's SDKs that answers from a list, so that their own code runs up to the wire."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse


@dataclass(frozen=True)
class Call:
    """A request as it would have gone out."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """A response: a JSON value or bytes."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)


class StubService(BaseAdapter):
    """Gives one answer after the other, or raises it, and remembers the calls.

    Args:
        answers: answers and exceptions in turn; a function is given the call and returns one of them, as often as
            it is asked if it is the last.
    """

    def __init__(self, *answers: Answer | Exception | Callable[[Call], Answer]) -> None:
        super().__init__()
        self._answers = list(answers)
        self.calls: list[Call] = []

    @property
    def transport(self) -> RequestsTransport:
        session = requests.Session()
        session.mount("http://", self)
        session.mount("https://", self)
        return RequestsTransport(session=session, session_owner=False)

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        body = request.body or b""
        body = body if isinstance(body, str | bytes) else body.read()
        content = body.encode() if isinstance(body, str) else body
        call = Call(str(request.method), str(request.url), dict(request.headers), content)
        self.calls.append(call)
        answer = self._answers[0]
        if callable(answer):
            answer = answer(call)
        else:
            self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return _response(request, answer)

    def close(self) -> None:
        pass


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    content, headers = answer.body, dict(answer.headers)
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
        headers.setdefault("Content-Type", "application/json")
    headers.setdefault("Content-Length", str(len(content)))
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(headers)
    response.raw = HTTPResponse(
        io.BytesIO(content), headers=headers, status=answer.status, preload_content=False
    )
    response.url, response.request, response.reason = str(request.url), request, "as stubbed"
    return response
