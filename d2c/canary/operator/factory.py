"""Data Factory, as the operator reads it: what a finished copy run shows to those who may look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from d2c.app.settings import Settings
from d2c.clients.azure.sign_in import azure_errors, management_arguments

if TYPE_CHECKING:
    from azure.mgmt.datafactory import DataFactoryManagementClient

FOLDER_PARAMETER = "lakeFolder"
CLOCK_ALLOWANCE, RUN_LIFETIME = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class CopyRun:
    """A run of the copy pipeline: its parameters, and the inputs and outputs of its activities."""

    pipeline: str
    status: str
    parameters: dict[str, Any]
    activities: list[dict[str, Any]]


class OperatorFactory:
    """The calls of a canary.

    Args:
        client: azure-mgmt-datafactory's.
        settings: the app's.
    """

    def __init__(self, client: "DataFactoryManagementClient", settings: Settings) -> None:
        self._client = client
        self._place = settings.resource_group, settings.data_factory

    def copy_runs(self, folder: str, since: datetime) -> list[CopyRun]:
        """Return the runs that copied into a folder of the lake.

        Args:
            folder: the beginning of the value of their parameter ``lakeFolder``.
            since: a time not after their start.
        """
        window: Any = {
            "lastUpdatedAfter": (since - CLOCK_ALLOWANCE).isoformat(),
            "lastUpdatedBefore": (since + RUN_LIFETIME).isoformat(),
        }
        with azure_errors(f"Copy runs in data factory {self._place[1]}"):
            mine = [run for run in self._runs(window) if _folder_of(run).startswith(folder)]
            return [self._run(run, window) for run in mine]

    def _runs(self, window: dict[str, Any]) -> Iterator[Any]:
        token: str | None = None
        while True:
            query: Any = {**window, **({"continuationToken": token} if token else {})}
            page = self._client.pipeline_runs.query_by_factory(*self._place, query)
            yield from page.value
            token = page.continuation_token
            if not token:
                return

    def _run(self, run: Any, window: Any) -> CopyRun:
        answer = self._client.activity_runs.query_by_pipeline_run(*self._place, str(run.run_id), window)
        activities = [
            {"activity": each.activity_name, "input": each.input, "output": each.output}
            for each in answer.value
        ]
        return CopyRun(str(run.pipeline_name), str(run.status), dict(run.parameters or {}), activities)


def _folder_of(run: Any) -> str:
    return str((run.parameters or {}).get(FOLDER_PARAMETER) or "")


def connect_operator_factory(settings: Settings) -> OperatorFactory:
    """Return the data factory in the settings, with the operator's sign-in."""
    from azure.mgmt.datafactory import DataFactoryManagementClient

    return OperatorFactory(DataFactoryManagementClient(**management_arguments(settings)), settings)
