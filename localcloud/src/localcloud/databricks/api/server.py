"""The HTTP server: the Jobs API 2.2 for one-time runs of notebooks, and the calls about the workspace's files.

https://docs.databricks.com/api/azure/workspace/jobs
"""

import hmac
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from localcloud.databricks.api.reads import Reads
from localcloud.databricks.api.views import output_view, run_view, task_run_id
from localcloud.databricks.api.workspace_calls import WorkspaceCalls
from localcloud.databricks.errors import ApiError, invalid
from localcloud.databricks.faults import Faults
from localcloud.databricks.files.workspace import Workspace
from localcloud.databricks.runs.clusters import check_request
from localcloud.databricks.runs.runner import Runner
from localcloud.databricks.runs.store import RunStore, now_ms
from localcloud.databricks.runs.submission import parse_submission

JOBS = "/api/2.2/jobs/runs"
FAULTS_PATH = "/_localcloud/faults"
LOSE_CLUSTER_PATH = "/_localcloud/lose-cluster"
VIEWER, VIEWERS_GROUP = "viewer", "users"
LARGEST_PAGE, DEFAULT_PAGE = 25, 20
LIST_PARAMETERS = {"active_only", "completed_only", "expand_tasks", "limit", "page_token", "run_type"}

log = logging.getLogger(__name__)
Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[Json | web.Response]]


class Api:
    """The calls.

    Args:
        token: what the app signs in with, which owns the runs that it submits.
        store: keeps the runs.
        runner: carries them out.
        workspace: has notebooks and libraries.
        faults: what is to fail.
        reads: answers what the workspace has.
        viewer_token: what somebody else signs in with, who is in the group ``users`` and no admin; empty for nobody.
    """

    def __init__(
        self,
        token: str,
        store: RunStore,
        runner: Runner,
        workspace: Workspace,
        faults: Faults,
        reads: Reads,
        viewer_token: str = "",
    ) -> None:
        self._token = token
        self._viewer_token = viewer_token
        self._store = store
        self._runner = runner
        self._workspace = workspace
        self._faults = faults
        self._reads = reads

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the calls' routes, and one for everything that is not supported."""
        calls: list[tuple[str, str, Handler, str]] = [
            ("POST", f"{JOBS}/submit", self._submit, "submit"),
            ("GET", f"{JOBS}/get", self._get, "get"),
            ("GET", f"{JOBS}/get-output", self._get_output, "get-output"),
            ("POST", f"{JOBS}/cancel", self._cancel, "cancel"),
            ("GET", f"{JOBS}/list", self._list, "list"),
            *WorkspaceCalls(self._workspace).calls(),
            ("POST", FAULTS_PATH, self._set_faults, ""),
            ("DELETE", FAULTS_PATH, self._set_faults, ""),
            ("POST", LOSE_CLUSTER_PATH, self._lose_cluster, ""),
            *self._reads.calls(),
        ]
        for method, path, handler, operation in calls:
            router.add_route(method, path, self._answering(handler, operation))
        router.add_route("*", "/{path:.*}", self._answering(_unknown, ""))

    def _answering(
        self, handler: Handler, operation: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that checks the token, lets faults happen, and answers errors as Databricks does."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                if handler is not _unknown:
                    self._check_token(request, handler)
                self._faults.raise_for(operation)
                found = await handler(request)
                return found if isinstance(found, web.Response) else _json(found, 200)
            except ApiError as error:
                return _json({"error_code": error.code, "message": error.message}, error.status)
            except ConnectionResetError:
                if request.transport:
                    request.transport.abort()
                return web.Response(status=503)

        return answer

    def _check_token(self, request: web.Request, handler: Handler) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise ApiError(
                401,
                "401",
                f"Credential was not sent or was of an unsupported type for this API. [ReqId: {uuid.uuid4()}]",
            )
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return
        if not self._viewer_token or not hmac.compare_digest(given.encode(), self._viewer_token.encode()):
            raise ApiError(403, "403", f"Invalid access token. [ReqId: {uuid.uuid4()}]")
        if handler not in (self._get, self._get_output):
            raise ApiError(403, "PERMISSION_DENIED", "The local cloud lets viewers look at runs only.")
        request[VIEWER] = True

    async def _submit(self, request: web.Request) -> Json:
        submission = parse_submission(await _body(request))
        check_request(submission, self._workspace)
        run_id, is_new = self._store.submit(submission, now_ms())
        if is_new:
            log.info("Run %s: %s", run_id, submission.run_name)
            self._runner.start(run_id, submission)
        return {"run_id": run_id}

    async def _get(self, request: web.Request) -> Json:
        run = self._seen(_run_id(request.query.get("run_id")), request)
        return run_view(run, _host(request))

    async def _get_output(self, request: web.Request) -> Json:
        given = _run_id(request.query.get("run_id"))
        run = self._seen(given, request)
        if given != task_run_id(run):
            raise invalid(
                "Retrieving the output of runs with multiple tasks is not supported. Please retrieve the output of "
                "each individual task run instead."
            )
        return output_view(run)

    async def _cancel(self, request: web.Request) -> Json:
        run = self._find(_run_id((await _body(request)).get("run_id")))
        if run["state"] not in ("TERMINATING", "TERMINATED"):
            self._runner.cancel(run["run_id"])
        return {}

    async def _list(self, request: web.Request) -> Json:
        query = request.query
        for name in query:
            if name not in LIST_PARAMETERS:
                raise invalid(f"The parameter {name} is not supported here.")
        active, completed, expand = (
            query.get(name, "false").lower() == "true"
            for name in ("active_only", "completed_only", "expand_tasks")
        )
        if active and completed:
            raise invalid("active_only and completed_only cannot both be true.")
        size = int(query.get("limit") or 0) or DEFAULT_PAGE
        if size > LARGEST_PAGE:
            raise invalid(f"limit is {size}; at most {LARGEST_PAGE} runs are listed at once.")
        if query.get("run_type", "SUBMIT_RUN") != "SUBMIT_RUN":
            return {"has_more": False}
        before = int(query["page_token"]) if query.get("page_token") else None
        ended = completed if active or completed else None
        runs = self._store.page(ended=ended, before=before, size=size + 1)
        page = {"runs": [run_view(run, _host(request), with_tasks=expand) for run in runs[:size]]}
        if len(runs) <= size:
            return {**page, "has_more": False}
        return {**page, "has_more": True, "next_page_token": str(runs[size - 1]["run_id"])}

    async def _set_faults(self, request: web.Request) -> Json:
        return self._faults.set(await _body(request) if request.method == "POST" else [])

    async def _lose_cluster(self, request: web.Request) -> Json:
        """Let the cluster of a run that is under way disappear."""
        run = self._find(_run_id((await _body(request)).get("run_id")))
        if run["state"] == "TERMINATED":
            raise invalid(f"Run {run['run_id']} has ended.")
        self._runner.lose_cluster(run["run_id"])
        return {}

    def _seen(self, run_id: int, request: web.Request) -> Json:
        """Return a run that the caller may see: its owner, or a member of a group that its access control list names.

        https://learn.microsoft.com/azure/databricks/jobs/privileges
        """
        run = self._find(run_id)
        if request.get(VIEWER) and VIEWERS_GROUP not in run["submission"].get("viewers", ()):
            raise ApiError(
                403, "PERMISSION_DENIED", f"You do not have View or Manage Run permissions on run {run_id}."
            )
        return run

    def _find(self, run_id: int) -> Json:
        """Return the run that has an id, or whose task has it."""
        run = self._store.run(run_id) or self._store.run(run_id - 1)
        if run is None:
            raise invalid(f"Run {run_id} does not exist.")
        return run


async def _unknown(request: web.Request) -> Json:
    raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{request.method} {request.path}'")


async def _body(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "MALFORMED_REQUEST", f"Could not parse the request: {error}") from error


def _run_id(value: Any) -> int:
    if value is None or not str(value).isdecimal():
        raise invalid(f"run_id is {value!r}, not the id of a run.")
    return int(value)


def _host(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _json(value: Any, status: int) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
