"""Databricks: sign-in, the notebook and the wheel, the cluster, and the secrets that Spark will ask for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from d2c.checks.clusters import check_cluster
from d2c.checks.findings import Finding, Findings
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
) -> tuple[list[Finding], Json]:
    """Look at the workspace; the second value is what the estimate needs of the cluster.

    Args:
        connect: connects to the workspace.
        host: its address.
        notebook: the notebook's path.
        wheel: the wheel's path.
        cluster: ``D2C_CLUSTER``.
        connector: the Maven coordinates of the Cosmos DB connector.
        scope: the secret scope.
        secrets: the names in it that Spark will ask for.
    """
    findings, facts = Findings("Databricks"), {"cluster": dict(cluster)}
    with findings.attempt(host, SIGN_IN):
        workspace = connect()
        findings.ok(host, SIGN_IN, f"The workspace knows the app as {workspace.user_name()}.")
        with findings.attempt(notebook, NOTEBOOK):
            _check_notebook(findings, notebook, workspace.kind_of_object(notebook))
        with findings.attempt(wheel, WHEEL):
            if workspace.has_file(wheel):
                findings.ok(wheel, WHEEL, "It is there.")
            else:
                findings.failed(wheel, WHEEL, "There is no such file.", DEPLOY)
        if "existing_cluster_id" in cluster:
            facts |= _check_existing(
                findings, workspace, str(cluster["existing_cluster_id"]), connector, wheel
            )
        else:
            _check_new(findings, workspace, cluster, connector, wheel)
        with findings.attempt(scope, SECRETS):
            _check_secrets(findings, scope, workspace.secret_names(scope), secrets)
    return findings.found, facts


def _check_notebook(findings: Findings, path: str, kind: str | None) -> None:
    if kind == "NOTEBOOK":
        findings.ok(path, NOTEBOOK, "It is there.")
    elif kind is None:
        findings.failed(path, NOTEBOOK, "There is no such notebook, or the app may not see it.", DEPLOY)
    else:
        findings.failed(path, NOTEBOOK, f"It is no notebook: {kind}.", DEPLOY)


def _check_existing(
    findings: Findings, workspace: WorkspaceReading, cluster_id: str, connector: str, wheel: str
) -> Json:
    with findings.attempt(cluster_id, CLUSTER):
        found = workspace.find_cluster(cluster_id)
        if found is None:
            findings.failed(
                cluster_id,
                CLUSTER,
                "There is no such cluster, or the app may not see it.",
                "Set existing_cluster_id in D2C_CLUSTER to one that there is, or describe a new cluster.",
            )
            return {}
        if found.state in UNFIT_STATES:
            findings.failed(cluster_id, CLUSTER, f"Its state is {found.state}.", "See it in Databricks.")
        else:
            findings.ok(
                cluster_id, CLUSTER, f"It is there, {found.state.lower()}; a run starts it where needed."
            )
        check_cluster(findings, cluster_id, found.spec, connector, wheel)
        return {"cluster": {**found.spec, "num_workers": found.workers, "existing_cluster_id": cluster_id}}
    return {}


def _check_new(
    findings: Findings, workspace: WorkspaceReading, cluster: Mapping[str, Any], connector: str, wheel: str
) -> None:
    check_cluster(findings, NEW_CLUSTER, cluster, connector, wheel)
    for field in ("node_type_id", "driver_node_type_id"):
        if cluster.get(field):
            with findings.attempt(str(cluster[field]), NODE_TYPE):
                _check_there(
                    findings, cluster[field], NODE_TYPE, cluster[field] in workspace.node_types(), field
                )
    for field, check, look in (
        ("policy_id", "policy", workspace.has_policy),
        ("instance_pool_id", "pool", workspace.has_pool),
        ("driver_instance_pool_id", "pool", workspace.has_pool),
    ):
        if cluster.get(field):
            with findings.attempt(str(cluster[field]), check):
                _check_there(findings, cluster[field], check, look(cluster[field]), field)


def _check_there(findings: Findings, name: str, check: str, is_there: bool, field: str) -> None:
    if is_there:
        findings.ok(name, check, "The workspace has it.")
    else:
        findings.failed(
            name,
            check,
            f"The workspace has no {check} {name}, or the app may not see it.",
            f"Set {field} in D2C_CLUSTER to one that the workspace has.",
        )


def _check_secrets(findings: Findings, scope: str, found: set[str] | None, wanted: Sequence[str]) -> None:
    if found is None:
        findings.failed(
            scope,
            SECRETS,
            "There is no such secret scope, or the app may not read it.",
            "Make it and grant the app READ (docs/install/settings.md), or set D2C_SECRET_SCOPE.",
        )
        return
    missing = [name for name in wanted if name not in found]
    if missing:
        findings.failed(
            scope,
            SECRETS,
            f"It lacks {', '.join(missing)}.",
            "Put them into the scope (docs/install/settings.md).",
        )
    else:
        findings.ok(scope, SECRETS, f"It has {', '.join(wanted)}; their values were not read.")
