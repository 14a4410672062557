"""Data Factory checks: the pipeline with its parameters, linked services and global parameters."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from d2c.checks.findings import Finding, Findings
from d2c.clients.azure.data_factory import DataFactory

FACTORY, PIPELINE, LINKED_SERVICE, PARAMETER, RUNS, PROGRESS = (
    "factory",
    "pipeline",
    "linked service",
    "global parameters",
    "runs can be seen",
    "progress can be seen",
)
DEPLOY = "Deploy the definitions of this version: d2c deploy."


def check_data_factory(
    connect: Callable[[], DataFactory],
    name: str,
    pipeline: str,
    sent: Collection[str],
    linked_services: Sequence[str],
    lake_account: str,
) -> list[Finding]:
    """Check the factory, without starting a run.

    Args:
        connect: connects to the factory.
        name: its name.
        pipeline: the copy pipeline's name.
        sent: the names of the parameters that this version sends.
        linked_services: the required ones.
        lake_account: the storage account of the lake for the app and Spark.
    """
    findings = Findings("Data Factory")
    with findings.attempt(name, FACTORY):
        factory = connect()
        parameters = factory.global_parameters()
        findings.ok(name, FACTORY, "It exists, and the app can read it.")
        _check_global_parameters(findings, name, parameters, lake_account)
        with findings.attempt(pipeline, PIPELINE):
            _check_pipeline(findings, pipeline, factory.find_pipeline_parameters(pipeline), sent)
        for service in linked_services:
            with findings.attempt(service, LINKED_SERVICE):
                _check_linked_service(findings, service, factory.has_linked_service(service))
        with findings.attempt(pipeline, RUNS):
            active = factory.active_runs([pipeline], since=datetime.now(UTC))
            findings.ok(pipeline, RUNS, f"{len(active)} of its runs are active.")
        with findings.attempt(pipeline, PROGRESS):
            factory.check_progress_access()
            findings.ok(pipeline, PROGRESS, "The app can read the progress of its runs.")
    return findings.found


def _check_pipeline(
    findings: Findings, pipeline: str, declared: set[str] | None, sent: Collection[str]
) -> None:
    if declared is None:
        findings.failed(pipeline, PIPELINE, "The pipeline does not exist.", DEPLOY)
        return
    missing, unknown = sorted(set(sent) - declared), sorted(declared - set(sent))
    if missing or unknown:
        parts = [f"does not declare {', '.join(missing)}"] if missing else []
        parts += [f"expects {', '.join(unknown)}, which is not sent"] if unknown else []
        findings.failed(pipeline, PIPELINE, f"It is from another version: it {' and '.join(parts)}.", DEPLOY)
    else:
        findings.ok(
            pipeline, PIPELINE, f"It declares the {len(declared)} parameters that this version sends."
        )


def _check_linked_service(findings: Findings, service: str, exists: bool) -> None:
    if exists:
        findings.ok(service, LINKED_SERVICE, "It exists.")
    else:
        findings.failed(service, LINKED_SERVICE, "The linked service does not exist.", DEPLOY)


def _check_global_parameters(
    findings: Findings, name: str, parameters: Mapping[str, Any], lake_account: str
) -> None:
    empty = [parameter for parameter, value in parameters.items() if value in (None, "")]
    host = urlsplit(str(parameters.get("lakeUrl", ""))).hostname or ""
    if "lakeUrl" not in parameters or empty:
        missing = ", ".join(sorted({*empty, *({"lakeUrl"} - parameters.keys())}))
        findings.failed(name, PARAMETER, f"Not set: {missing}.", DEPLOY)
    elif host.split(".")[0] != lake_account:
        findings.failed(
            name,
            PARAMETER,
            f"lakeUrl is {host}, but the app's lake is {lake_account}: copies would go to the wrong account.",
            "Set the global parameter lakeUrl to the lake's address, or D2C_LAKE__blobServiceUri.",
        )
    else:
        findings.ok(name, PARAMETER, f"{', '.join(sorted(parameters))} are set; copies go to {lake_account}.")
