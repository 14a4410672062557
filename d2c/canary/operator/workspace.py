"""Databricks, as the operator reads it: the load runs that the operator may see."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from d2c.app.settings import Settings
from d2c.clients.databricks.errors import databricks_errors

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

# Newest first, so that the canary's are among the first.
RUNS_AT_MOST = 200


class OperatorWorkspace:
    """The calls of a canary.

    Args:
        client: databricks-sdk's.
    """

    def __init__(self, client: "WorkspaceClient") -> None:
        self._client = client

    def load_runs(self, migration: str) -> list[int]:
        """Return the ids of a migration's load runs, as far as the operator may see them."""
        from databricks.sdk.service.jobs import RunType

        with databricks_errors("Load runs"):
            runs: Any = self._client.jobs.list_runs(expand_tasks=True, run_type=RunType.SUBMIT_RUN)
            return [
                int(run.run_id)
                for run in islice(runs, RUNS_AT_MOST)
                if any(f"/migrations/{migration}/" in request for request in _requests_of(run))
            ]


def _requests_of(run: Any) -> list[str]:
    """Return the addresses of the requests of a run's tasks, which are parameters of the notebook."""
    notebooks = [task.notebook_task for task in run.tasks or () if task.notebook_task]
    return [str((notebook.base_parameters or {}).get("request", "")) for notebook in notebooks]


def connect_operator_workspace(settings: Settings) -> OperatorWorkspace:
    """Return the workspace in the settings, with the operator's sign-in."""
    from d2c.clients.databricks.sign_in import connect_workspace

    return OperatorWorkspace(connect_workspace(settings))
