"""Data Factory: runs of the copy pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import ResourceNotFoundError

from d2c.app.settings import Settings
from d2c.clients.answers import count_of, name_of, text_of, typed
from d2c.clients.azure.sign_in import azure_errors, management_arguments
from d2c.clients.connections import connected_once

if TYPE_CHECKING:
    from azure.mgmt.datafactory import DataFactoryManagementClient

RUN_KEY_PARAMETER = "runKey"
# Clocks differ, a run may be updated long after it started, and a copy of many parts takes longer than a run lives.
# https://learn.microsoft.com/azure/data-factory/monitor-data-factory
CLOCK_ALLOWANCE = timedelta(hours=1)
RUNS_KEPT = timedelta(days=45)
COPY = "Copy"
NO_RUN = "00000000-0000-0000-0000-000000000000"
ACTIVE = ("Queued", "InProgress", "Canceling")


@dataclass(frozen=True)
class PipelineRun:
    """A pipeline run: Data Factory's status and error message."""

    status: str
    message: str


@dataclass(frozen=True)
class CopyProgress:
    """The progress of a run's copy activities, and their first error."""

    files: int
    size_bytes: int
    error: str


class DataFactory:
    """The calls that a migration makes to one data factory.

    Args:
        client: azure-mgmt-datafactory's client.
        resource_group: the factory's resource group.
        factory: the factory's name.
    """

    def __init__(self, client: DataFactoryManagementClient, resource_group: str, factory: str) -> None:
        self._client = client
        self._group = resource_group
        self._factory = factory

    def global_parameters(self) -> dict[str, Any]:
        """Return the values of the factory's global parameters by their names."""
        with azure_errors(f"Data factory {self._factory}"):
            factory: Any = self._client.factories.get(self._group, self._factory)
        declared = factory["properties"].get("globalParameters") or {}
        return {name: parameter.get("value") for name, parameter in declared.items()}

    def find_pipeline_parameters(self, pipeline: str) -> set[str] | None:
        """Return the names of a pipeline's parameters, or None if there is no such pipeline."""
        with azure_errors(f"Pipeline {pipeline} in data factory {self._factory}"):
            try:
                answer: Any = self._client.pipelines.get(self._group, self._factory, pipeline)
            except ResourceNotFoundError:
                return None
        return set(answer["properties"].get("parameters") or {})

    def has_linked_service(self, name: str) -> bool:
        """Return whether a linked service exists."""
        with azure_errors(f"Linked service {name} in data factory {self._factory}"):
            try:
                self._client.linked_services.get(self._group, self._factory, name)
            except ResourceNotFoundError:
                return False
        return True

    def find_run(self, pipelines: Sequence[str], run_key: str, *, since: datetime) -> str | None:
        """Return the id of the run that was started with a run key, or None.

        Data Factory has no idempotency token and no filter on parameters, so all runs of the pipelines since then
        are compared. https://learn.microsoft.com/rest/api/datafactory/pipeline-runs/query-by-factory

        Args:
            pipelines: the names of the pipelines that may have been started.
            run_key: the value of its parameter ``runKey``.
            since: a time not after the run's start.
        """
        runs = self._runs(pipelines, since, since + RUNS_KEPT)
        return next((run_id for run_id, key in runs if key == run_key), None)

    def active_runs(self, pipelines: Sequence[str], *, since: datetime) -> dict[str, str]:
        """Return the runs of pipelines that have not ended, by their ids, with their run keys.

        Args:
            pipelines: their names.
            since: a time not after the last update of the oldest run.
        """
        status = {"operand": "Status", "operator": "In", "values": list(ACTIVE)}
        runs = self._runs(pipelines, since, datetime.now(UTC) + CLOCK_ALLOWANCE, status)
        return dict(runs)

    def _runs(
        self, pipelines: Sequence[str], since: datetime, until: datetime, *filters: dict[str, Any]
    ) -> Iterator[tuple[str, str]]:
        """Yield runs: their ids and their run keys."""
        query: Any = {
            "lastUpdatedAfter": (since - CLOCK_ALLOWANCE).isoformat(),
            "lastUpdatedBefore": until.isoformat(),
            "filters": [
                {"operand": "PipelineName", "operator": "In", "values": list(pipelines)},
                *filters,
            ],
        }
        while True:
            with azure_errors(f"Runs of pipeline {' or '.join(pipelines)} in data factory {self._factory}"):
                page = self._client.pipeline_runs.query_by_factory(self._group, self._factory, query)
                runs, token = (
                    [(str(run.run_id), _run_key(run)) for run in page.value],
                    page.continuation_token,
                )
            yield from runs
            if not token or token == query.get("continuationToken"):
                return
            query["continuationToken"] = token

    def start_run(self, pipeline: str, parameters: Mapping[str, str | int]) -> str:
        """Start a run of a pipeline and return its id."""
        with azure_errors(f"Pipeline {pipeline} in data factory {self._factory}"):
            answer = self._client.pipelines.create_run(
                self._group, self._factory, pipeline, parameters=dict(parameters)
            )
            return name_of(answer.run_id)

    def get_run(self, run_id: str) -> PipelineRun:
        """Return the state of a run."""
        with azure_errors(self._thing(run_id)):
            run = self._client.pipeline_runs.get(self._group, self._factory, run_id)
            return typed(PipelineRun(text_of(run.status), text_of(run.message)))

    def get_copy_progress(self, run_id: str, *, since: datetime) -> CopyProgress:
        """Return the progress of a run's copy activities, by the latest try of each."""
        with azure_errors(self._thing(run_id)):
            answer = self._client.activity_runs.query_by_pipeline_run(
                self._group, self._factory, run_id, _window(since)
            )
            return _copy_progress(answer.value)

    def check_progress_access(self) -> None:
        """Ask for the progress of a run that does not exist, which needs the same rights as that of one that does.

        Raises:
            PermanentError: if the app may not read it.
        """
        with azure_errors(f"Activity runs in data factory {self._factory}"):
            try:
                self._client.activity_runs.query_by_pipeline_run(
                    self._group, self._factory, NO_RUN, _window(datetime.now(UTC))
                )
            except ResourceNotFoundError:
                return

    def cancel_run(self, run_id: str) -> None:
        """Cancel a run."""
        with azure_errors(self._thing(run_id)):
            self._client.pipeline_runs.cancel(self._group, self._factory, run_id)

    def _thing(self, run_id: str) -> str:
        return f"Copy run {run_id} in data factory {self._factory}"


def _copy_progress(runs: Sequence[Any]) -> CopyProgress:
    # Failed tries stay in the list together with the later ones, and a condition with the copies within it.
    tries = sorted((run for run in runs if run.activity_type == COPY), key=_started)
    latest = {run.activity_name: run for run in tries}.values()
    outputs = [run.output or {} for run in latest]
    errors = [text_of(f"{run.activity_name}: {_error_of(run)}") for run in latest if _error_of(run)]
    return CopyProgress(
        files=sum(count_of(output.get("filesWritten")) for output in outputs),
        size_bytes=sum(count_of(output.get("dataWritten")) for output in outputs),
        error=errors[0] if errors else "",
    )


def _window(since: datetime) -> Any:
    return {
        "lastUpdatedAfter": (since - CLOCK_ALLOWANCE).isoformat(),
        "lastUpdatedBefore": (since + RUNS_KEPT).isoformat(),
    }


def _run_key(run: Any) -> str:
    return str((run.parameters or {}).get(RUN_KEY_PARAMETER) or "")


def _started(run: Any) -> tuple[bool, Any]:
    """Return a sort key by start; a queued activity run has none yet, and sorts last."""
    return run.activity_run_start is None, run.activity_run_start


def _error_of(run: Any) -> str:
    """Return an activity run's error text; a successful one carries an object of empty texts."""
    return str((run.error or {}).get("message") or "")


@connected_once
def connect_data_factory(settings: Settings, credential: TokenCredential | None = None) -> DataFactory:
    """Return the data factory in the settings; without a credential, the app signs in by its own."""
    # Importing it takes over half a second, which would delay the start of the host.
    from azure.mgmt.datafactory import DataFactoryManagementClient

    client = DataFactoryManagementClient(**management_arguments(settings, credential))
    return DataFactory(client, settings.resource_group, settings.data_factory)
