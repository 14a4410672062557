"""The command line in front of a substitute for the app, without network, sleep or another process."""

import importlib
import json

import httpx
import pytest
from typer.testing import CliRunner

from d2c.cli import app
from d2c.cli.session import Outside


class SubstituteApp:
    """Answers requests from lists, one answer after the other; the last one stays."""

    def __init__(self):
        self.requests = []
        self.pauses = []
        self._answers = {}

    def on(self, method, path, *answers):
        """Give the answers of one call: JSON values, responses or exceptions."""
        self._answers[method, path] = list(answers)

    def handle(self, request):
        self.requests.append(request)
        answers = self._answers[request.method, request.url.path]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def problem(status, title="Not found", detail="There is no such thing.", next_step="Look elsewhere.", **more):
    """Return an error as the app answers it."""
    body = {"status": status, "title": title, "detail": detail, "next_step": next_step, **more}
    headers = {"content-type": "application/problem+json"}
    return httpx.Response(status, content=json.dumps(body).encode(), headers=headers)


@pytest.fixture
def service(monkeypatch):
    for name in ("D2C_URL", "D2C_KEY"):
        monkeypatch.delenv(name, raising=False)
    return SubstituteApp()


@pytest.fixture
def run(service):
    """Return a function that runs `d2c` with arguments against the substitute."""

    def run(
        *arguments,
        pause=None,
        execute=None,
        load=importlib.import_module,
        is_terminal=False,
        **options,
    ):
        def no_program(*_):
            raise AssertionError("no other program is to be run")

        outside = Outside(
            transport=httpx.MockTransport(service.handle),
            pause=pause or service.pauses.append,
            execute=execute or no_program,
            load=load,
            is_terminal=lambda: is_terminal,
        )
        # What a command does not tell as its own outcome is a defect, and is raised here.
        result = CliRunner().invoke(app, list(arguments), obj=outside, **options)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
