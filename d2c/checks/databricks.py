"""Databricks checks: sign-in, notebook, wheel, cluster, and the secrets that Spark reads."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from d2c.checks.clusters import check_cluster
from d2c.checks.findings import Finding, Findings
from d2c.checks.volumes import check_data_files
from d2c.clients.databricks.reading import WorkspaceReading

SIGN_IN, NOTEBOOK, WHEEL, CLUSTER, NODE_TYPE, SECRETS = (
    "sign-in",
    "notebook",
    "wheel",
    "cluster",
    "node type",
    "secrets",
)
DEPLOY = "Deploy the notebook and the wheel of this version: d2c deploy."
UNFIT_STATES = ("ERROR", "UNKNOWN")
NEW_CLUSTER = "new cluster"

Json = dict[str, Any]


def check_databricks(
    connect: Callable[[], WorkspaceReading],
    *,
    host: str,
    notebook: str,
    wheel: str,
    cluster: Mapping[str, Any],
    connector: str,
    scope: str,
    secrets: Sequence[str],
    volume: str,
    exports: str,
) -> tuple[list[Finding], Json]:
    """Check the workspace; the second value describes the cluster for the estimate.

    Args:
        connect: connects to the workspace.
        host: its address.
        notebook: the notebook's path.
        wheel: the wheel's path.
        cluster: ``D2C_CLUSTER``.
        connector: the Maven coordinates of the Cosmos DB connector.
        scope: the secret scope.
        secrets: the names of the secrets that Spark reads.
        volume: the path of the volume with exports; empty for none.
        exports: the address of the lake's folder with exports.
    """
    findings, facts = Findings("Databricks"), {"cluster": dict(cluster)}
    with findings.attempt(host, SIGN_IN):
        workspace = connect()
        findings.ok(host, SIGN_IN, f"The app's user in the workspace is {workspace.user_name()}.")
        with findings.attempt(notebook, NOTEBOOK):
            _check_notebook(findings, notebook, workspace.kind_of_object(notebook))
        with findings.attempt(wheel, WHEEL):
            if workspace.has_file(wheel):
                findings.ok(wheel, WHEEL, "It exists.")
            else:
                findings.failed(wheel, WHEEL, "The file does not exist.", DEPLOY)
        if "existing_cluster_id" in cluster:
            facts |= _check_existing(
                findings, workspace, str(cluster["existing_cluster_id"]), connector, wheel
            )
        else:
            _check_new(findings, workspace, cluster, connector, wheel)
        with findings.attempt(scope, SECRETS):
            _check_secrets(findings, scope, workspace.secret_names(scope), secrets)
        check_data_files(findings, workspace, facts["cluster"], volume, exports)
    return findings.found, facts


def _check_notebook(findings: Findings, path: str, kind: str | None) -> None:
    if kind == "NOTEBOOK":
        findings.ok(path, NOTEBOOK, "It exists.")
    elif kind is None:
        findings.failed(path, NOTEBOOK, "The notebook does not exist, or the app cannot see it.", DEPLOY)
    else:
        findings.failed(path, NOTEBOOK, f"It is not a notebook but a {kind}.", DEPLOY)


def _check_existing(
    findings: Findings, workspace: WorkspaceReading, cluster_id: str, connector: str, wheel: str
) -> Json:
    with findings.attempt(cluster_id, CLUSTER):
        existing = workspace.find_cluster(cluster_id)
        if existing is None:
            findings.failed(
                cluster_id,
                CLUSTER,
                "The cluster does not exist, or the app cannot see it.",
                "Set existing_cluster_id in D2C_CLUSTER to an existing one, or describe a new cluster.",
            )
            return {}
        if existing.state in UNFIT_STATES:
            findings.failed(cluster_id, CLUSTER, f"Its state is {existing.state}.", "Check it in Databricks.")
        else:
            findings.ok(
                cluster_id, CLUSTER, f"It exists, {existing.state.lower()}; a run starts it if needed."
            )
        check_cluster(findings, cluster_id, existing.spec, connector, wheel)
        return {
            "cluster": {**existing.spec, "num_workers": existing.workers, "existing_cluster_id": cluster_id}
        }
    return {}


def _check_new(
    findings: Findings, workspace: WorkspaceReading, cluster: Mapping[str, Any], connector: str, wheel: str
) -> None:
    check_cluster(findings, NEW_CLUSTER, cluster, connector, wheel)
    for field in ("node_type_id", "driver_node_type_id"):
        if cluster.get(field):
            with findings.attempt(str(cluster[field]), NODE_TYPE):
                _check_exists(
                    findings, cluster[field], NODE_TYPE, cluster[field] in workspace.node_types(), field
                )
    for field, check, exists in (
        ("policy_id", "policy", workspace.has_policy),
        ("instance_pool_id", "pool", workspace.has_pool),
        ("driver_instance_pool_id", "pool", workspace.has_pool),
    ):
        if cluster.get(field):
            with findings.attempt(str(cluster[field]), check):
                _check_exists(findings, cluster[field], check, exists(cluster[field]), field)


def _check_exists(findings: Findings, name: str, check: str, exists: bool, field: str) -> None:
    if exists:
        findings.ok(name, check, "The workspace has it.")
    else:
        findings.failed(
            name,
            check,
            f"The workspace has no {check} {name}, or the app cannot see it.",
            f"Set {field} in D2C_CLUSTER to one that the workspace has.",
        )


def _check_secrets(findings: Findings, scope: str, existing: set[str] | None, wanted: Sequence[str]) -> None:
    if existing is None:
        findings.failed(
            scope,
            SECRETS,
            "The secret scope does not exist, or the app cannot read it.",
            "Create it and grant the app READ (docs/install/settings.md), or set D2C_SECRET_SCOPE.",
        )
        return
    missing = [name for name in wanted if name not in existing]
    if missing:
        findings.failed(
            scope,
            SECRETS,
            f"It has no {', '.join(missing)}.",
            "Add them to the scope (docs/install/settings.md).",
        )
    else:
        findings.ok(scope, SECRETS, f"It has {', '.join(wanted)}; their values were not read.")
