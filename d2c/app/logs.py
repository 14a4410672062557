"""The fields of every line of the app's log: migration, table, stage and run key.

They are set once, where an activity or a trigger begins; every record made inside has them, an SDK's too. A handler
that supports attributes (OpenTelemetry's) sends them as such; the others write a line of JSON.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from d2c.redaction import without_secrets

# At INFO these log every request, response and token. The worker of the Functions runtime sets the root logger to INFO.
CHATTY = (
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.cosmos",
    "azure.identity",
    "azure.monitor",
    "botocore",
)
FIELDS = ("migration", "check", "table", "unit", "stage", "run_key", "activity", "attempt")

_fields: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=MappingProxyType({}))


@contextmanager
def log_fields(**fields: str | int | None) -> Iterator[None]:
    """Add these fields to all records made inside; None sets nothing."""
    known = {name: value for name, value in fields.items() if value is not None}
    token = _fields.set({**_fields.get(), **known})
    try:
        yield
    finally:
        _fields.reset(token)


def current_fields() -> Mapping[str, Any]:
    """Return the fields that a record made now would carry."""
    return _fields.get()


class StructuredRecord(logging.LogRecord):
    """A record with the current fields, without any secret in its text or its stack trace, and fit for UTF-8."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.__dict__.update(_fields.get())
        if isinstance(self.msg, str):
            self.msg, self.args = _told(super().getMessage()), None
        if self.exc_info and self.exc_info[0]:
            # A formatter uses an existing text.
            self.exc_text = _told(logging.Formatter().formatException(self.exc_info))


def _told(text: str) -> str:
    """Return a text without secrets; half a surrogate pair, as in a foreign name, would end the handler's writing."""
    return without_secrets(text).encode(errors="backslashreplace").decode()


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, logger and message, then the fields, then a stack trace if there is one."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: getattr(record, name) for name in FIELDS if hasattr(record, name)},
        }
        if record.exc_info:
            line["exception"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def structure_logs() -> None:
    """Make this process log with fields and without secrets, one line of JSON per record, and SDKs only warnings."""
    logging.setLogRecordFactory(StructuredRecord)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
