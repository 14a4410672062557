"""What a request to blobs or queues is about, read once: its kind, its container or queue, its path."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from localcloud.lake import ACCOUNT
from localcloud.lake.access.refusals import invalid

# What a call is told from; a service knows them in lower case.
WORDS = ("comp", "restype", "prefix", "peekonly", "resource")
COPY_SOURCE = "x-ms-copy-source"
MOST_PARAMETERS = 50
DOTS = frozenset({".", ".."})


@dataclass(frozen=True)
class Place:
    """A container and a blob in it, or a queue and what is asked of it; empty where the path names none."""

    outer: str
    inner: str


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        method: its method; HEAD counts as GET.
        place: what its path names.
        words: the parameters of its query that tell what it asks for.
        source: the blob that it copies from, or None.
    """

    method: str
    place: Place
    words: Mapping[str, str]
    source: Place | None = None


def call_of(method: str, target: str, headers: Mapping[str, str]) -> Call:
    """Return what a request asks for.

    Args:
        method: its method.
        target: its path and query as they came.
        headers: its headers, whose names know no upper case.

    Raises:
        StorageError: 400, if the service behind could understand it in another way.
    """
    if "#" in target:
        raise invalid("it has a fragment, which clients keep to themselves")
    path, _, query = target.partition("?")
    source = headers.get(COPY_SOURCE)
    return Call(
        "GET" if method == "HEAD" else method,
        _place(path),
        _words(query),
        _place(urlsplit(source).path) if source else None,
    )


def _place(path: str) -> Place:
    """Return what a path names. The service decodes it as a whole, and takes a backslash in a name for a slash."""
    account, _, rest = unquote(path, errors="replace").removeprefix("/").partition("/")
    outer, _, inner = rest.partition("/")
    if account != ACCOUNT:
        raise invalid(f"the address names the account {account[:100]!r}, and this is {ACCOUNT}")
    inner = inner.replace("\\", "/")
    if DOTS & set(inner.split("/")):
        raise invalid("a part of the path is '.' or '..', which clients resolve before they send it")
    return Place(outer, inner)


def _words(query: str) -> Mapping[str, str]:
    """Return the parameters that count. Of many, the service reads the first only, and it knows lists by brackets."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise invalid(f"the query has more than {MOST_PARAMETERS} parameters") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        word = name.lower().partition("[")[0]
        if word in WORDS and (name != word or word in found):
            raise invalid(f"the parameter {name[:100]!r} is in upper case or a list, or comes twice")
        if word in WORDS:
            found[word] = value
    return found
