"""What unit tests share."""

import io
import json
import logging

import pytest

import function_app
from d2c.app.logs import JsonLines, structure_logs

SECRET = "c2VjcmV0LW9mLXRoZS1zZXR0aW5ncw=="


@pytest.fixture(scope="session")
def app_functions():
    """The functions of the app, which the SDK tells once in a process."""
    return function_app.app.get_functions()


@pytest.fixture
def lines(monkeypatch):
    """Return a function that tells what the app has logged since, as the objects of its lines of JSON."""
    stream, root, factory = io.StringIO(), logging.getLogger(), logging.getLogRecordFactory()
    handler, formatters = logging.StreamHandler(stream), [other.formatter for other in root.handlers]
    monkeypatch.setenv("D2C_COSMOS_KEY", SECRET)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    structure_logs()
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    for other, formatter in zip(root.handlers, formatters, strict=True):
        other.setFormatter(formatter)
    assert isinstance(handler.formatter, JsonLines)
