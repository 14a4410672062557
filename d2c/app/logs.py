"""What every line of the app's log carries beside its text: migration, table, stage and run key, as fields.

They are set once, where an activity or a trigger begins, and every record made below it has them, an SDK's too. A
handler that knows attributes of records (OpenTelemetry's) sends them as such; the others write a line of JSON.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from d2c.app.redaction import known_secrets, without_secrets

FIELDS = ("migration", "check", "table", "stage", "run_key", "activity", "attempt")

_fields: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=MappingProxyType({}))


@contextmanager
def log_fields(**fields: str | int | None) -> Iterator[None]:
    """Have all that is logged inside carry these fields beside those from outside; None sets nothing."""
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
    """A record with the fields of its place, and without any secret in its text or its stack trace."""

    secrets: tuple[str, ...] = ()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.__dict__.update(_fields.get())
        if isinstance(self.msg, str):
            self.msg, self.args = without_secrets(super().getMessage(), self.secrets), None
        if self.exc_info and self.exc_info[0]:
            # A formatter takes the text that is there already.
            self.exc_text = without_secrets(logging.Formatter().formatException(self.exc_info), self.secrets)


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


def structure_logs(environment: Mapping[str, str]) -> None:
    """Have this process log as this module says.

    Args:
        environment: names to texts, such as ``os.environ``; the secrets in it never reach a log.
    """
    StructuredRecord.secrets = known_secrets(environment)
    logging.setLogRecordFactory(StructuredRecord)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())
