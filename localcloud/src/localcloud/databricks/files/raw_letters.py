"""Takes requests whose first line has letters beyond ASCII, as Java's HTTP client sends them for Hadoop.

HTTP knows them percent-encoded only, and so does aiohttp's parser.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

CALLS = ("connection_made", "connection_lost", "eof_received", "pause_writing", "resume_writing")
LINE = re.compile(rb"(?:GET|PUT|DELETE) /webhdfs/[^\r\n]*")
RAW = re.compile(rb"[\x80-\xff]+")


def encoded(data: bytes) -> bytes:
    """Return what has come in, with the raw bytes of a WebHDFS request's first line percent-encoded.

    Java sends a request's head at once, so what comes in begins with the whole line, or is a part of a body.
    """
    line = LINE.match(data)
    return _percent_encoded(line[0]) + data[line.end() :] if line else data


class RawLettersRunner(web.AppRunner):
    """Runs an application that takes such requests."""

    __slots__ = ()

    @property
    def server(self) -> web.Server | None:
        """What makes a protocol for each connection."""
        server = super().server
        # A site only calls it.
        return cast("web.Server", _Protocols(server)) if server else None


class _Protocols:
    def __init__(self, server: Callable[[], asyncio.Protocol]) -> None:
        self._server = server

    def __call__(self) -> asyncio.Protocol:
        return _Protocol(self._server())


class _Protocol(asyncio.Protocol):
    """Another protocol's, but for what it is told of the data."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._data_received = protocol.data_received
        calls: dict[str, Any] = {name: getattr(protocol, name) for name in CALLS}
        self.__dict__.update(calls)

    def data_received(self, data: bytes) -> None:
        self._data_received(encoded(data))


def _percent_encoded(line: bytes) -> bytes:
    return RAW.sub(lambda raw: b"".join(b"%%%02X" % byte for byte in raw[0]), line)
