"""The app's HTTP API as the command line calls it: answers are checked, and every trouble is a `D2CError`."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from d2c.errors import D2CError, TransientError

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
MIGRATIONS, CHECKS = "/api/migrations", "/api/checks"
CONNECT_SECONDS = 10
# A Function app that has scaled to nothing takes a while to answer its first call.
ANSWER_SECONDS = 60
PAGE_SIZE = 100
TABLES_OF_A_PAGE = 1000
BUSY_STATUSES = (408, 429)
NOT_OUR_API = "Not an answer of the d2c API"
CHECK_ADDRESS = "Check the address: --url or D2C_URL is that of the Function app, without /api."

Answer = dict[str, Any]

# What the platform in front of the app answers without a problem document: title, and what to do.
PLATFORM_ANSWERS = {
    401: (
        "The key was refused",
        "Set D2C_KEY to a function key of the app; `az functionapp keys list` shows them.",
    ),
    403: (
        "The app lets nobody in, or not from here",
        "See in Azure whether the app runs and which networks may call it.",
    ),
}


class ProblemError(D2CError):
    """The app refused a call and said why.

    Args:
        problem: the body, ``application/problem+json``.
    """

    def __init__(self, problem: Answer) -> None:
        super().__init__(problem["detail"], problem["next_step"], problem["title"])
        self.faults: Sequence[str] = tuple(problem.get("faults", ()))


class Api:
    """The calls that the commands make.

    Args:
        client: an HTTP client whose base address is the app's.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def start(self, plan: bytes) -> Answer:
        """Start the migration that a plan asks for; the same plan again returns the running one."""
        headers = {"content-type": "application/json"}
        return _checked(self._call("POST", "", content=plan, headers=headers), "id", "state", "links")

    def check(self, plan: bytes) -> Answer:
        """Start the check of a plan; the answer has its ``id``, and tells no findings yet."""
        headers = {"content-type": "application/json"}
        asked = {"dry_run": "true", "wait": "0"}
        answer = self._call("POST", "", content=plan, headers=headers, params=asked)
        return _checked(answer, "id", "state", "progress")

    def check_status(self, check: str) -> Answer:
        """Return how far a check is, or what it found."""
        return _checked(self._call("GET", f"/{check}", below=CHECKS), "id", "state", "progress", "checks")

    def migrations(self) -> list[Answer]:
        """Return every migration, newest first."""
        found: list[Answer] = self._all_pages("", PAGE_SIZE, "migrations", "next")["migrations"]
        return found

    def status(self, migration: str) -> Answer:
        """Return how a migration and all of its tables stand."""
        return self._all_pages(f"/{migration}", TABLES_OF_A_PAGE, "tables", "id", "state")

    def report(self, migration: str) -> Answer:
        """Return a migration's report."""
        headers = {"accept": "application/json"}
        return _checked(self._call("GET", f"/{migration}/report", headers=headers), "id", "state", "tables")

    def report_page(self, migration: str) -> bytes:
        """Return a migration's report as an HTML page."""
        response = self._call("GET", f"/{migration}/report", headers={"accept": "text/html"})
        if not _content_type(response).startswith("text/html"):
            raise _not_our_api(response)
        return response.content

    def steer(self, migration: str, action: str, body: Answer | None = None) -> Answer:
        """Ask for a migration to be cancelled, retried, suspended or resumed.

        Args:
            migration: its id.
            action: ``cancel``, ``retry``, ``suspend`` or ``resume``.
            body: what is asked in particular, if anything.
        """
        return self._post(f"/{migration}/{action}", body, "id", "state")

    def rejected(self, migration: str, table: str | None, reason: str | None, at_most: int | None) -> Answer:
        """Return rejected items over as many pages as it takes; ``next`` is null once these are all.

        Args:
            migration: its id.
            table: the table whose items are asked for; every table's if None.
            reason: why they were rejected; any reason if None.
            at_most: how many items to return; all if None.
        """
        wanted = {name: value for name, value in (("table", table), ("reason", reason)) if value is not None}
        found: list[Answer] = []
        token = None
        while True:
            size = PAGE_SIZE if at_most is None else min(PAGE_SIZE, at_most - len(found))
            page = {**wanted, "top": str(size), **({"token": token} if token else {})}
            answer = _checked(self._call("GET", f"/{migration}/rejected", params=page), "rejected", "next")
            found += answer["rejected"]
            token = answer["next"]
            if not token or (at_most is not None and len(found) >= at_most):
                return {"rejected": found, "next": token}

    def replay(self, migration: str, body: Answer | None) -> Answer:
        """Ask for rejected items to be mapped and loaded again; without a body those of every table."""
        return self._operate(migration, "replay", body)

    def verify(self, migration: str, body: Answer | None) -> Answer:
        """Ask for another verification; without a body of every table, by the plan's method."""
        return self._operate(migration, "verify", body)

    def _operate(self, migration: str, operation: str, body: Answer | None) -> Answer:
        return self._post(f"/{migration}/{operation}", body, "id", "operation", "state")

    def _post(self, path: str, body: Answer | None, *fields: str) -> Answer:
        content: dict[str, Any] = {} if body is None else {"json": body}
        return _checked(self._call("POST", path, **content), *fields)

    def _all_pages(self, path: str, size: int, entries: str, *fields: str) -> Answer:
        """Return an answer with the entries of all its pages; apps of before a call had pages give it whole."""
        page = {"top": str(size)}
        answer = _checked(self._call("GET", path, params=page), entries, *fields)
        found = answer[entries]
        while answer.get("next"):
            page["token"] = answer["next"]
            answer = _checked(self._call("GET", path, params=page), entries, *fields)
            found = [*found, *answer[entries]]
        return {**answer, entries: found}

    def _call(self, method: str, path: str, below: str = MIGRATIONS, **options: Any) -> httpx.Response:
        try:
            response = self._client.request(method, f"{below}{path}", **options)
        except httpx.RequestError as error:
            raise _unreachable(self._client.base_url, error) from None
        if not response.is_success:
            raise _refusal(response)
        return response


def connect(url: str, key: str | None, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return an HTTP client for the app at an address.

    Args:
        url: the app's address, without ``/api``.
        key: a function key of the app, or None; it travels in a header only.
        transport: in place of the network's, for tests.
    """
    return httpx.Client(
        base_url=url,
        headers={"x-functions-key": key} if key else {},
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        transport=transport,
        # A proxy in the environment cannot reach what listens on this machine.
        trust_env=not is_on_this_machine(url),
    )


def is_on_this_machine(url: str) -> bool:
    """Tell whether an address is a loopback one."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def _checked(response: httpx.Response, *fields: str) -> Answer:
    """Return an answer's JSON object, which must have these fields."""
    answer = _json_object(response)
    if answer is None or not all(field in answer for field in fields):
        raise _not_our_api(response)
    return answer


def _json_object(response: httpx.Response) -> Answer | None:
    try:
        value = response.json()
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refusal(response: httpx.Response) -> D2CError:
    """Return the error for an answer that is no success."""
    status = response.status_code
    may_heal = status in BUSY_STATUSES or response.is_server_error
    problem = _json_object(response)
    if problem and all(isinstance(problem.get(name), str) for name in ("title", "detail", "next_step")):
        if may_heal:
            return TransientError(problem["detail"], problem["next_step"], problem["title"])
        return ProblemError(problem)
    if may_heal:
        return TransientError(
            f"{_described(response)}.", "Try again in a while; if it persists, see the app's log."
        )
    if status in PLATFORM_ANSWERS:
        title, next_step = PLATFORM_ANSWERS[status]
        return D2CError(f"{_described(response)}.", next_step, title)
    return _not_our_api(response)


def _not_our_api(response: httpx.Response) -> D2CError:
    return D2CError(f"{_described(response)}, which the API does not do.", CHECK_ADDRESS, NOT_OUR_API)


def _described(response: httpx.Response) -> str:
    """Say what was asked and what came, without queries, which may hold keys."""
    asked = response.request.url.copy_with(query=None)
    target = response.headers.get("location", "").split("?")[0]
    came = f"a redirect to {target}" if target else _content_type(response) or "nothing"
    return f"{response.request.method} {asked} answered {response.status_code} with {came}"


def _content_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).split(";")[0].strip().lower()


def _unreachable(base_url: httpx.URL, error: httpx.RequestError) -> TransientError:
    address = str(base_url).rstrip("/")
    where = "Start the local cloud with `d2c local up`, or name" if is_on_this_machine(address) else "Check"
    return TransientError(
        f"{address} {_cause(error)}.",
        f"{where} the app's address with --url or D2C_URL.",
        "The app cannot be reached",
    )


def _cause(error: httpx.RequestError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"did not accept the connection within {CONNECT_SECONDS} seconds"
    if isinstance(error, httpx.TimeoutException):
        return f"did not answer within {ANSWER_SECONDS} seconds"
    return f"did not answer ({str(error) or type(error).__name__})"
