"""Client for the app's HTTP API: validates responses and turns every failure into a `D2CError`."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from d2c.errors import D2CError, TransientError

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
MIGRATIONS, CHECKS, PLANS = "/api/migrations", "/api/checks", "/api/plans"
CONNECT_SECONDS = 10
# A Function app that has scaled to zero is slow to answer its first call.
ANSWER_SECONDS = 60
# The most that Azure lets an HTTP function take; DynamoDB describes some ten tables a second.
# https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout
PROPOSAL_SECONDS = 230
PAGE_SIZE = 100
TABLES_OF_A_PAGE = 1000
BUSY_STATUSES = (408, 429)
NOT_OUR_API = "The response is not from the d2c API"
CHECK_ADDRESS = "Check the address: --url or D2C_URL must be the Function app's, without /api."

Answer = dict[str, Any]

# Responses of the platform in front of the app, which sends no problem document: title and next step.
PLATFORM_ANSWERS = {
    401: (
        "The key was rejected",
        "Set D2C_KEY to a function key of the app; `az functionapp keys list` shows them.",
    ),
    403: (
        "Access to the app is denied",
        "Check in Azure that the app is running, and which networks may call it.",
    ),
}


class ProblemError(D2CError):
    """The app rejected a call and gave the reason.

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
        """Start a plan's migration; the same plan again returns the running one."""
        headers = {"content-type": "application/json"}
        return _checked(self._call("POST", "", content=plan, headers=headers), "id", "state", "links")

    def check(self, plan: bytes) -> Answer:
        """Start the check of a plan; the answer has its ``id``, and no findings yet."""
        headers = {"content-type": "application/json"}
        query = {"dry_run": "true", "wait": "0"}
        answer = self._call("POST", "", content=plan, headers=headers, params=query)
        return _checked(answer, "id", "state", "progress")

    def check_status(self, check: str) -> Answer:
        """Return the progress of a check, and its findings."""
        return _checked(self._call("GET", f"/{check}", below=CHECKS), "id", "state", "progress", "checks")

    def propose(self, asked: Answer) -> Answer:
        """Return a proposed plan, with its reasons, open questions and price."""
        answer = self._call("POST", "", below=PLANS, json=asked, timeout=PROPOSAL_SECONDS)
        return _checked(answer, "plan", "reasons", "questions", "estimate")

    def migrations(self) -> list[Answer]:
        """Return every migration, newest first."""
        migrations: list[Answer] = self._all_pages("", PAGE_SIZE, "migrations", "next")["migrations"]
        return migrations

    def status(self, migration: str) -> Answer:
        """Return the status of a migration and all its tables."""
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

    def change(self, migration: str, action: str, body: Answer | None = None) -> Answer:
        """Cancel, retry, suspend or resume a migration.

        Args:
            migration: its id.
            action: ``cancel``, ``retry``, ``suspend`` or ``resume``.
            body: details of the request, if any.
        """
        return self._post(f"/{migration}/{action}", body, "id", "state")

    def rejected(self, migration: str, table: str | None, reason: str | None, at_most: int | None) -> Answer:
        """Return rejected items from as many pages as needed; ``next`` is null if there are no more.

        Args:
            migration: its id.
            table: the table of the items; every table if None.
            reason: the reason for the rejection; any reason if None.
            at_most: the maximum number of items to return; all if None.
        """
        filters = {name: value for name, value in (("table", table), ("reason", reason)) if value is not None}
        items: list[Answer] = []
        token = None
        while True:
            size = PAGE_SIZE if at_most is None else min(PAGE_SIZE, at_most - len(items))
            page = {**filters, "top": str(size), **({"token": token} if token else {})}
            answer = _checked(self._call("GET", f"/{migration}/rejected", params=page), "rejected", "next")
            items += answer["rejected"]
            token = answer["next"]
            if not token or (at_most is not None and len(items) >= at_most):
                return {"rejected": items, "next": token}

    def replay(self, migration: str, body: Answer | None) -> Answer:
        """Map and load rejected items again; without a body those of every table."""
        return self._operate(migration, "replay", body)

    def verify(self, migration: str, body: Answer | None) -> Answer:
        """Verify again; without a body every table, by the plan's method."""
        return self._operate(migration, "verify", body)

    def _operate(self, migration: str, operation: str, body: Answer | None) -> Answer:
        return self._post(f"/{migration}/{operation}", body, "id", "operation", "state")

    def _post(self, path: str, body: Answer | None, *fields: str) -> Answer:
        content: dict[str, Any] = {} if body is None else {"json": body}
        return _checked(self._call("POST", path, **content), *fields)

    def _all_pages(self, path: str, size: int, entries: str, *fields: str) -> Answer:
        """Return an answer with the entries of all its pages; older apps return a single page."""
        page = {"top": str(size)}
        answer = _checked(self._call("GET", path, params=page), entries, *fields)
        rows = answer[entries]
        while answer.get("next"):
            page["token"] = answer["next"]
            answer = _checked(self._call("GET", path, params=page), entries, *fields)
            rows = [*rows, *answer[entries]]
        return {**answer, entries: rows}

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
        key: a function key of the app, or None; it is sent in a header only.
        transport: replaces the network in tests.
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
    """Return the error for an unsuccessful response."""
    status = response.status_code
    is_transient = status in BUSY_STATUSES or response.is_server_error
    problem = _json_object(response)
    if problem and all(isinstance(problem.get(name), str) for name in ("title", "detail", "next_step")):
        if is_transient:
            return TransientError(problem["detail"], problem["next_step"], problem["title"])
        return ProblemError(problem)
    if is_transient:
        return TransientError(
            f"{_described(response)}.", "Try again later. If it keeps failing, check the app's log."
        )
    if status in PLATFORM_ANSWERS:
        title, next_step = PLATFORM_ANSWERS[status]
        return D2CError(f"{_described(response)}.", next_step, title)
    return _not_our_api(response)


def _not_our_api(response: httpx.Response) -> D2CError:
    return D2CError(f"{_described(response)}, which the API never returns.", CHECK_ADDRESS, NOT_OUR_API)


def _described(response: httpx.Response) -> str:
    """Describe the request and its response, without queries, which may contain keys."""
    url = response.request.url.copy_with(query=None)
    target = response.headers.get("location", "").split("?")[0]
    content = f"a redirect to {target}" if target else _content_type(response) or "nothing"
    return f"{response.request.method} {url} answered {response.status_code} with {content}"


def _content_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).split(";")[0].strip().lower()


def _unreachable(base_url: httpx.URL, error: httpx.RequestError) -> TransientError:
    address = str(base_url).rstrip("/")
    action = "Start the local cloud with `d2c local up`, or set" if is_on_this_machine(address) else "Check"
    return TransientError(
        f"{address} {_cause(error)}.",
        f"{action} the app's address with --url or D2C_URL.",
        "The app cannot be reached",
    )


def _cause(error: httpx.RequestError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"did not accept the connection within {CONNECT_SECONDS} seconds"
    if isinstance(error, httpx.TimeoutException):
        return f"did not answer within {ANSWER_SECONDS} seconds"
    return f"did not answer ({str(error) or type(error).__name__})"
