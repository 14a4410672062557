"""Carries out pipeline runs: activities in the order of their dependencies, tried again by their policies.

Each run has a thread; what it did is stored at once, so a run that the process left behind is taken up again at the
next start, with the activities that had succeeded left as they are.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from localcloud.data_factory.definitions.expressions import resolve
from localcloud.data_factory.definitions.policy import Policy, read_policy
from localcloud.data_factory.definitions.shapes import BRANCHES, Definitions
from localcloud.data_factory.runs.connections import Connections
from localcloud.data_factory.runs.copy_files import copy_files
from localcloud.data_factory.runs.errors import INNER_FAILED, ActivityCancelledError, ActivityError
from localcloud.data_factory.runs.order import conditions_hold, decisive_failure, depends_on
from localcloud.data_factory.runs.store import ENDED, RunStore, milliseconds_between, now_text
from localcloud.data_factory.runs.watch import Watch
from localcloud.lake.reach import Reach

# More runs than these wait as Queued.
RUNS_AT_ONCE = 8

Json = dict[str, Any]
# Carries out a copy activity of a run.
Copy = Callable[[Json, Json, Watch], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunnerOptions:
    """What the machine brings, and how it differs from the service.

    Args:
        lake: how the lake's account is reached.
        vault: the key vault's secrets by name.
        seconds_per_file: how much longer than need be each file takes.
        longest_retry_seconds: the longest pause before an activity is tried again, whatever its policy says.
        before_each_file: called before each file is copied; raises to make the copy fail.
    """

    lake: Reach
    vault: Mapping[str, str]
    seconds_per_file: float
    longest_retry_seconds: float
    before_each_file: Callable[[], None]


class Runner:
    """The runs of one factory.

    Args:
        definitions: what it executes.
        store: where its runs are.
        options: what this machine brings.
        copy: carries out a copy activity; None: by the factory's connections.
    """

    def __init__(
        self, definitions: Definitions, store: RunStore, options: RunnerOptions, copy: Copy | None = None
    ) -> None:
        self._definitions = definitions
        self._store = store
        self._options = options
        self._copy = copy or self._copy_files
        self._connections = Connections(definitions, options.vault)
        self._threads = ThreadPoolExecutor(RUNS_AT_ONCE, thread_name_prefix="run")
        self._cancelled: dict[str, threading.Event] = {}
        self._waiting: dict[str, Future[None]] = {}
        # A run may be cancelled while its thread begins, before anybody knows that thread.
        self._starting = threading.Lock()

    def resume(self) -> None:
        """Take up the runs that have not ended; those that were being cancelled are cancelled now."""
        for run in self._store.open_runs():
            if run["status"] == "Canceling":
                self._abandon(run["runId"])
            else:
                self.start(run["runId"])

    def start(self, run_id: str) -> None:
        """Carry out a run that is in the store."""
        with self._starting:
            self._cancelled[run_id] = threading.Event()
            self._waiting[run_id] = self._threads.submit(self._run, run_id)

    def cancel(self, run_id: str) -> None:
        """Ask a run to stop; nothing happens to one that has ended."""
        if self._store.change_run(run_id, "Canceling", unless=ENDED):
            with self._starting:
                self._cancelled[run_id].set()
                waiting = self._waiting[run_id]
            if waiting.cancel():
                self._abandon(run_id)

    def _abandon(self, run_id: str) -> None:
        """End a run that no thread works on as cancelled."""
        for activity_run in self._store.activity_runs(run_id):
            if activity_run["status"] == "InProgress":
                self._end(activity_run, "Cancelled", activity_run["output"])
        self._store.change_run(run_id, "Cancelled")

    def _run(self, run_id: str) -> None:
        try:
            status, message = self._carry_out(run_id)
        except Exception as error:
            log.exception("run %s failed", run_id)
            status, message = "Failed", f"The local Data Factory failed; its log says why: {error}"
        self._store.change_run(run_id, status, message=message)

    def _carry_out(self, run_id: str) -> tuple[str, str]:
        """Return a run's final status and message."""
        self._store.change_run(run_id, "InProgress", unless=("Canceling",))
        run = self._store.run(run_id)
        assert run is not None  # noqa: S101 - it was stored before it was started
        failed = self._carry_out_all(run, self._definitions.pipelines[run["pipelineName"]]["activities"])
        if self._cancelled[run_id].is_set():
            return "Cancelled", ""
        if failed is None:
            return "Succeeded", ""
        return "Failed", f"Operation on target {failed} failed: {self._last_error(run_id, failed)}"

    def _carry_out_all(self, run: Json, activities: list[Json]) -> str | None:
        """Carry out activities in their order, and return the name of one whose failure is theirs, or None."""
        # An activity that had succeeded before this process began is not repeated.
        results = {
            done["activityName"]: "Succeeded"
            for done in self._store.activity_runs(run["runId"])
            if done["status"] == "Succeeded"
        }
        while waiting := [activity for activity in activities if activity["name"] not in results]:
            activity = next(each for each in waiting if depends_on(each) <= results.keys())
            if self._cancelled[run["runId"]].is_set():
                return None
            results[activity["name"]] = (
                self._carry_out_one(run, activity) if conditions_hold(activity, results) else "Skipped"
            )
        return decisive_failure(activities, results)

    def _carry_out_one(self, run: Json, activity: Json) -> str:
        if activity["type"] == "IfCondition":
            return self._carry_out_condition(run, activity)
        return self._try_activity(run, activity)

    def _carry_out_condition(self, run: Json, activity: Json) -> str:
        """Carry out the branch of a condition; without one for its value it succeeds.

        https://learn.microsoft.com/azure/data-factory/control-flow-if-condition-activity
        """
        record = self._begin(run, activity, 0)
        condition = activity["typeProperties"]
        value = resolve(condition["expression"], {"pipeline": self._pipeline_scope(run)})
        failed = self._carry_out_all(run, condition.get(BRANCHES[bool(value)], []))
        if self._cancelled[run["runId"]].is_set():
            return self._end(record, "Cancelled", {})
        if failed is None:
            return self._end(record, "Succeeded", {})
        cause = self._last_error(run["runId"], failed)
        record["error"] |= {
            "errorCode": INNER_FAILED,
            "message": (
                f"Activity failed because an inner activity failed; Inner activity name: {failed}, Error: {cause}"
            ),
            "failureType": "UserError",
        }
        return self._end(record, "Failed", {})

    def _last_error(self, run_id: str, activity: str) -> str:
        texts = [
            each["error"]["message"]
            for each in self._store.activity_runs(run_id)
            if each["activityName"] == activity
        ]
        return str(texts[-1])

    def _try_activity(self, run: Json, activity: Json) -> str:
        """Carry out an activity, again if it fails and its policy says so, and return its status."""
        policy = read_policy(activity.get("policy", {}))
        pause = min(policy.interval_seconds, self._options.longest_retry_seconds)
        for attempt in range(policy.retries + 1):
            if attempt and self._cancelled[run["runId"]].wait(pause):
                return "Cancelled"
            status = self._carry_out_activity(run, activity, policy, attempt)
            if status != "Failed":
                return status
        return "Failed"

    def _carry_out_activity(self, run: Json, activity: Json, policy: Policy, attempt: int) -> str:
        record = self._begin(run, activity, attempt)
        watch = Watch(
            self._cancelled[run["runId"]],
            timeout=policy.timeout,
            seconds_per_file=self._options.seconds_per_file,
            report=lambda output: self._store.save_activity_run(record | {"output": output}),
            before_each_file=self._options.before_each_file,
        )
        try:
            self._copy(run, activity, watch)
        except ActivityCancelledError:
            return self._end(record, "Cancelled", watch.output())
        except ActivityError as error:
            log.warning("run %s: %s failed: %s", run["runId"], activity["name"], error)
            record["error"] |= {
                "errorCode": error.code,
                "message": str(error),
                "failureType": error.failure_type,
            }
            return self._end(record, "Failed", watch.output())
        output = watch.output()
        if activity["typeProperties"].get("validateDataConsistency"):
            verified = {"VerificationResult": "Verified", "InconsistentData": "None"}
            output["dataConsistencyVerification"] = verified
        return self._end(record, "Succeeded", output)

    def _copy_files(self, run: Json, activity: Json, watch: Watch) -> None:
        scopes = {"pipeline": self._pipeline_scope(run)}
        source = self._connections.source(activity["inputs"][0], scopes)
        sink = self._connections.sink(activity["outputs"][0], scopes)
        properties = resolve(activity["typeProperties"], scopes)
        copy_files(source, sink, properties, self._options.lake, watch)

    def _pipeline_scope(self, run: Json) -> Json:
        return {
            "parameters": {**run["parameters"], **self._store.secure_parameters(run["runId"])},
            "globalParameters": self._definitions.global_parameters,
            "RunId": run["runId"],
        }

    def _begin(self, run: Json, activity: Json, attempt: int) -> Json:
        """Store an activity run as under way; one that an earlier process left unfinished resumes under its id."""
        properties = {
            each["name"]: resolve(each["value"], {"pipeline": self._pipeline_scope(run)})
            for each in activity.get("userProperties", ())
        }
        left_behind = [
            each["activityRunId"]
            for each in self._store.activity_runs(run["runId"])
            if each["activityName"] == activity["name"] and each["status"] == "InProgress"
        ]
        record: Json = {
            "activityRunId": left_behind[0] if left_behind else str(uuid.uuid4()),
            "pipelineRunId": run["runId"],
            "pipelineName": run["pipelineName"],
            "activityName": activity["name"],
            "activityType": activity["type"],
            "status": "InProgress",
            "activityRunStart": now_text(),
            "retryAttempt": attempt or None,
            "userProperties": properties,
            "input": {} if activity.get("policy", {}).get("secureInput") else activity["typeProperties"],
            "output": {},
            "error": {"errorCode": "", "message": "", "failureType": "", "target": activity["name"]},
        }
        self._store.save_activity_run(record)
        return record

    def _end(self, record: Json, status: str, output: Json) -> str:
        now = now_text()
        duration = milliseconds_between(record["activityRunStart"], now)
        self._store.save_activity_run(
            record | {"status": status, "output": output, "activityRunEnd": now, "durationInMs": duration}
        )
        return status
