"""Databricks: one-time runs of the notebook.

Importing the SDK, with its hundreds of classes, takes seconds: it is imported where it is used, so as not to delay
the start of the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from d2c.app.settings import Settings
from d2c.clients.answers import text_of
from d2c.clients.connections import connected_once
from d2c.clients.databricks.errors import databricks_errors
from d2c.errors import PermanentError, TransientError
from d2c.load_run.spark_errors import readable_cause

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import JobAccessControlRequest

ENDED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
# The platform's failures by their codes too, since it is not documented which type each comes with. A library that
# failed to install is one of them unless the message blames the user, as for a file that is not there.
LIBRARY, USERS_FAULT = "LIBRARY_INSTALLATION_ERROR", "due to user error"
HEALABLE_TYPES = ("CLOUD_FAILURE", "INTERNAL_ERROR")
HEALABLE_CODES = (
    "CLOUD_FAILURE",
    "CLUSTER_ERROR",
    "CLUSTER_REQUEST_LIMIT_EXCEEDED",
    "CLUSTER_TERMINATED_BY_USER",
    "DRIVER_ERROR",
    "INTERNAL_ERROR",
    LIBRARY,
    "MAX_CONCURRENT_RUNS_EXCEEDED",
    "MAX_JOB_QUEUE_SIZE_EXCEEDED",
    "MAX_SPARK_CONTEXTS_EXCEEDED",
    "STORAGE_ACCESS_ERROR",
    "WORKSPACE_RUN_LIMIT_EXCEEDED",
)
# Old results by new termination code; any other code is a failure.
RESULT_OF_CODE = {"SUCCESS": "SUCCESS", "USER_CANCELED": "CANCELED", "CANCELED": "CANCELED"}


@dataclass(frozen=True)
class NotebookRun:
    """A run of the notebook.

    ``healable``: whether the platform failed (a lost cluster, no machines), not the notebook.
    """

    ended: bool
    succeeded: bool
    cancelled: bool
    healable: bool
    message: str


class Databricks:
    """The calls that a migration makes to one workspace.

    Args:
        client: databricks-sdk's client.
    """

    def __init__(self, client: WorkspaceClient) -> None:
        self._jobs = client.jobs

    def start_run(
        self,
        *,
        name: str,
        run_key: str,
        notebook_path: str,
        parameters: Mapping[str, str],
        cluster: Mapping[str, Any],
        libraries: Sequence[Mapping[str, Any]],
        timeout_seconds: int = 0,
        viewers: str = "",
    ) -> int:
        """Submit a one-time run of a notebook; for a run key used before, return the existing run's id.

        Args:
            name: the run's name in the workspace.
            run_key: at most 64 characters.
            notebook_path: in the workspace.
            parameters: the notebook's widgets by name.
            cluster: ``{"existing_cluster_id": id}``, or a new cluster in the format of the Jobs API.
            libraries: in the format of the Jobs API.
            timeout_seconds: after which Databricks ends the run; 0 for never.
            viewers: a group whose members may see the run, which is the app's own otherwise; empty for none.
                https://learn.microsoft.com/azure/databricks/jobs/privileges
        """
        from databricks.sdk.service.compute import Library
        from databricks.sdk.service.jobs import QueueSettings, SubmitTask

        cluster_field = cluster if "existing_cluster_id" in cluster else {"new_cluster": cluster}
        task = {
            "task_key": "load",
            "notebook_task": {"notebook_path": notebook_path, "base_parameters": dict(parameters)},
            **cluster_field,
        }
        submit = SubmitTask.from_dict(task)
        submit.libraries = [Library.from_dict(dict(library)) for library in libraries]
        with databricks_errors(f"Load run {name}"):
            submitted = self._jobs.submit(
                run_name=name,
                idempotency_token=run_key,
                tasks=[submit],
                # At the workspace's limit of runs it waits, and is not skipped.
                queue=QueueSettings(enabled=True),
                timeout_seconds=timeout_seconds or None,
                access_control_list=_access(viewers),
            )
            return int(submitted.run_id)

    def get_run(self, run_id: int) -> NotebookRun:
        """Return the state of a run, from the old ``state`` or, if it is missing, the new ``status``.

        Raises:
            TransientError: if the response has neither.
        """
        thing = f"Load run {run_id}"
        with databricks_errors(thing):
            run: Any = self._jobs.get_run(run_id)
            found = _run_of(run)
        if found is None:
            raise TransientError(f"{thing}: Databricks returned no state.", "Retrying.")
        if found.ended and not found.succeeded and run.tasks:
            return replace(found, message=self._cause_of_failure(run.tasks[0].run_id) or found.message)
        return found

    def _cause_of_failure(self, task_run_id: int) -> str:
        """Return the error in a task's output; empty if there is none, such as for a run that never started."""
        try:
            with databricks_errors(f"Output of task {task_run_id}"):
                return text_of(readable_cause(self._jobs.get_run_output(task_run_id).error or ""))
        except (PermanentError, TransientError):
            return ""

    def active_runs(self) -> dict[int, dict[str, str]]:
        """Return the one-time runs of notebooks that have not ended, by their ids, with their parameters."""
        from databricks.sdk.service.jobs import RunType

        with databricks_errors("Load runs"):
            runs = self._jobs.list_runs(active_only=True, expand_tasks=True, run_type=RunType.SUBMIT_RUN)
            notebooks = {run.run_id: [task.notebook_task for task in run.tasks or ()] for run in runs}
            return {
                int(run_id): tasks[0].base_parameters or {}
                for run_id, tasks in notebooks.items()
                if run_id and tasks and tasks[0]
            }

    def cancel_run(self, run_id: int) -> None:
        """Cancel a run."""
        with databricks_errors(f"Load run {run_id}"):
            self._jobs.cancel_run(run_id)


def _run_of(run: Any) -> NotebookRun | None:
    """Return a run from the answer about it; None if that has no state."""
    details: Any = run.status and run.status.termination_details
    kind, code = _value(details and details.type), _value(details and details.code)
    if run.state and run.state.life_cycle_state:
        ended = _value(run.state.life_cycle_state) in ENDED
        result, message = _value(run.state.result_state), run.state.state_message
    elif run.status and run.status.state:
        ended = _value(run.status.state) == "TERMINATED"
        result, message = RESULT_OF_CODE.get(code, "") if ended else "", details and details.message
    else:
        return None
    text = text_of(message)
    return NotebookRun(
        ended=bool(ended),
        succeeded=result == "SUCCESS",
        cancelled=result == "CANCELED",
        healable=kind in HEALABLE_TYPES or _is_platforms(code, text),
        message=text,
    )


def _is_platforms(code: str, message: str) -> bool:
    return code in HEALABLE_CODES and not (code == LIBRARY and USERS_FAULT in message)


def _access(viewers: str) -> list[JobAccessControlRequest] | None:
    from databricks.sdk.service.jobs import JobAccessControlRequest, JobPermissionLevel

    if not viewers:
        return None
    return [JobAccessControlRequest(group_name=viewers, permission_level=JobPermissionLevel.CAN_VIEW)]


def _value(member: Any) -> str:
    """Return the text of an enumeration's member, or an empty one for None."""
    return str(member.value) if member else ""


@connected_once
def connect_databricks(settings: Settings) -> Databricks:
    """Return the load runs of the workspace in the settings."""
    from d2c.clients.databricks.sign_in import connect_workspace

    return Databricks(connect_workspace(settings))
