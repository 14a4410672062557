"""Data Factory's calls about runs.

https://learn.microsoft.com/rest/api/datafactory/pipeline-runs
"""

import base64
import json
from datetime import datetime
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.server import Answer, Call, Route
from localcloud.data_factory.definitions.loading import bind, secure_names
from localcloud.data_factory.definitions.store import DefinitionStore
from localcloud.data_factory.runs.runner import Runner
from localcloud.data_factory.runs.store import RunFilter, RunStore, time_text

FACTORY = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.DataFactory/factories/{factory}"
)
RUNS_PER_PAGE = 100
OPERATORS = {"Equals": "in", "In": "in", "NotEquals": "not in", "NotIn": "not in"}
OPERANDS = {"PipelineName": "pipeline", "Status": "status", "RunGroupId": "id"}
QUERY_FIELDS = frozenset({"lastUpdatedAfter", "lastUpdatedBefore", "filters", "orderBy", "continuationToken"})
RECOVERY = ("referencePipelineRunId", "isRecovery", "startActivityName", "startFromFailure")

Json = dict[str, Any]


class FactoryCalls:
    """Answers the calls.

    Args:
        definitions: the factory's.
        store: where its runs are.
        runner: carries them out.
    """

    def __init__(self, definitions: DefinitionStore, store: RunStore, runner: Runner) -> None:
        self._definitions = definitions
        self._store = store
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the operations."""
        run = f"{FACTORY}/pipelineruns/{{run}}"
        return [
            Route("CreateRun", "POST", f"{FACTORY}/pipelines/{{pipeline}}/createRun", self.create_run),
            Route("GetRun", "GET", run, self.get_run),
            Route("QueryRuns", "POST", f"{FACTORY}/queryPipelineRuns", self.query_runs),
            Route("CancelRun", "POST", f"{run}/cancel", self.cancel_run),
            Route("QueryActivityRuns", "POST", f"{run}/queryActivityruns", self.query_activity_runs),
        ]

    async def create_run(self, call: Call) -> Answer:
        """Start a run of a pipeline; the body is the parameters."""
        name = call.names["pipeline"]
        pipeline = self._definitions.find("pipeline", name)
        if pipeline is None:
            raise ArmError(404, "EntityNotFound", f"The pipeline '{name}' was not found.", f"pipeline/{name}")
        unsupported = [option for option in RECOVERY if option in call.query]
        if unsupported:
            raise ArmError(
                400, "NotSupportedHere", f"{', '.join(unsupported)}: the local cloud reruns no runs."
            )
        if faults := self._definitions.faults():
            text = f"What is published cannot be carried out as a whole: {'; '.join(faults)}."
            raise ArmError(400, "BadRequest", text, f"pipeline/{name}")
        parameters, faults = bind(pipeline.get("parameters", {}), call.body)
        if faults:
            text = f"ErrorCode=InvalidTemplate, ErrorMessage=The template validation failed: '{' '.join(faults)}'"
            raise ArmError(400, "BadRequest", text, f"pipeline/{name}")
        run_id = self._store.create_run(name, parameters, secure_names(pipeline.get("parameters", {})))
        self._runner.start(run_id)
        return Answer({"runId": run_id})

    async def get_run(self, call: Call) -> Answer:
        """Return a run."""
        return Answer(_shown(self._find(call)))

    async def query_runs(self, call: Call) -> Answer:
        """Return a page of runs by a window of their last update and filters."""
        _check_query(call.body)
        after, before = _window(call.body)
        wanted = RunFilter(after, before, _columns(call.body), _newest_first(call.body))
        last = _last_number(call.body.get("continuationToken"))
        found = self._store.find_runs(wanted, last, RUNS_PER_PAGE + 1)
        page: Json = {"value": [_shown(run) for _, run in found[:RUNS_PER_PAGE]]}
        if len(found) > RUNS_PER_PAGE:
            page["continuationToken"] = base64.urlsafe_b64encode(
                str(found[RUNS_PER_PAGE - 1][0]).encode()
            ).decode()
        return Answer(page)

    async def cancel_run(self, call: Call) -> Answer:
        """Ask a run to stop. It has no child runs, so ``isRecursive`` makes no difference."""
        self._find(call)
        self._runner.cancel(call.names["run"])
        return Answer()

    async def query_activity_runs(self, call: Call) -> Answer:
        """Return the activity runs of a run."""
        _check_query(call.body)
        if call.body.get("filters") or call.body.get("orderBy"):
            raise ArmError(
                400, "NotSupportedHere", "Filters and orders of activity runs are not supported here."
            )
        self._find(call)
        return Answer({"value": self._store.activity_runs(call.names["run"], *_window(call.body))})

    def _find(self, call: Call) -> Json:
        run = self._store.run(call.names["run"])
        if run is None:
            raise ArmError(
                404, "PipelineRunNotFound", f"There is no pipeline run with the id {call.names['run']}."
            )
        return run


def _shown(run: Json) -> Json:
    """Return a run as the service shows it: parameters as texts, whatever their types."""
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in run["parameters"].items()
    }
    return {**run, "parameters": texts}


def _check_query(body: Json) -> None:
    unknown = sorted(body.keys() - QUERY_FIELDS)
    if unknown:
        raise ArmError(400, "BadRequest", f"The query has unknown fields: {', '.join(unknown)}.")


def _window(body: Json) -> tuple[str, str]:
    """Return the window of last updates, which every query needs."""
    times = []
    for name in ("lastUpdatedAfter", "lastUpdatedBefore"):
        try:
            times.append(time_text(datetime.fromisoformat(body[name])))
        except (KeyError, TypeError, ValueError) as error:
            raise ArmError(
                400,
                "BadRequest",
                f"The query's {name} is missing or no ISO 8601 time.",
                "RunFilterParameters",
            ) from error
    return times[0], times[1]


def _columns(body: Json) -> list[tuple[str, str, list[str]]]:
    columns = []
    for entry in body.get("filters", ()):
        operand, operator, values = entry.get("operand"), entry.get("operator"), entry.get("values")
        if operand not in OPERANDS or operator not in OPERATORS or not isinstance(values, list) or not values:
            raise ArmError(
                400,
                "BadRequest",
                f"The filter {operand} {operator} is not supported here: operands are {', '.join(OPERANDS)}, "
                f"operators {', '.join(OPERATORS)}, and values a list.",
            )
        columns.append((OPERANDS[operand], OPERATORS[operator], [str(value) for value in values]))
    return columns


def _newest_first(body: Json) -> bool:
    match body.get("orderBy") or [{"orderBy": "RunStart", "order": "DESC"}]:
        case [{"orderBy": "RunStart", "order": "ASC" | "DESC" as order}]:
            return bool(order == "DESC")
        case other:
            raise ArmError(400, "BadRequest", f"The order {other} is not supported here, only RunStart.")


def _last_number(token: Any) -> int | None:
    if not token:
        return None
    try:
        return int(base64.urlsafe_b64decode(token))
    except (TypeError, ValueError) as error:
        raise ArmError(400, "BadRequest", "The continuationToken is not one of this service.") from error
