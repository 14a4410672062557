"""Cluster checks: the runtime and access mode that the libraries of a load run require."""

import re
from collections.abc import Mapping
from typing import Any

from d2c.checks.findings import Findings

RUNTIME, CONNECTOR_VERSION, ACCESS_MODE = "runtime and connector", "connector", "access mode"
# Spark versions by Databricks Runtime version.
# https://learn.microsoft.com/azure/databricks/release-notes/runtime/
SPARK_OF_RUNTIME = {
    "13.3": "3.4",
    "14.3": "3.5",
    "15.4": "3.5",
    "16.4": "3.5",
    "17.0": "4.0",
    "17.1": "4.0",
    "17.2": "4.0",
    "17.3": "4.0",
    "18.0": "4.1",
}
SPARK_VERSION = re.compile(r"(?P<runtime>\d+\.\d+)\.x-(?P<variants>.*-)?scala(?P<scala>\d+\.\d+)")
CONNECTOR = re.compile(r"azure-cosmos-spark_(?P<spark>\d+-\d+)_(?P<scala>\d+-\d+):(?P<version>\d+\.\d+\.\d+)")
# https://github.com/Azure/azure-sdk-for-java/pull/48689
OLDEST_WITHOUT_DEADLOCK = (4, 47, 0)
# Unity Catalog allows such a connector only on a cluster with a single user.
# https://github.com/Azure/azure-sdk-for-java/issues/45872
DEDICATED = (
    "SINGLE_USER",
    "DATA_SECURITY_MODE_DEDICATED",
    "LEGACY_SINGLE_USER",
    "LEGACY_SINGLE_USER_STANDARD",
)
WITHOUT_UNITY_CATALOG = ("NONE", "")
ADVICE = "Set D2C_CLUSTER as in docs/install/settings.md: 17.3.x-scala2.13 and SINGLE_USER."


def check_cluster(
    findings: Findings, thing: str, spec: Mapping[str, Any], connector: str, wheel: str
) -> None:
    """Check the specification of an existing or a new cluster.

    Args:
        findings: receives the findings.
        thing: the cluster's name in the findings.
        spec: in the format of the Clusters API.
        connector: the Maven coordinates of the Cosmos DB connector.
        wheel: the path of the wheel.
    """
    with findings.attempt(thing, RUNTIME):
        _check_runtime(findings, thing, str(spec.get("spark_version", "")), connector)
    with findings.attempt(connector, CONNECTOR_VERSION):
        _check_version(findings, connector)
    with findings.attempt(thing, ACCESS_MODE):
        _check_access_mode(findings, thing, str(spec.get("data_security_mode") or ""), wheel)


def _check_runtime(findings: Findings, thing: str, version: str, connector: str) -> None:
    actual, needed = SPARK_VERSION.fullmatch(version), CONNECTOR.search(connector)
    if actual is None or needed is None or actual["runtime"] not in SPARK_OF_RUNTIME:
        findings.warning(
            thing,
            RUNTIME,
            f"It is not known whether the runtime {version or 'of the policy'} fits the connector {connector}.",
            ADVICE,
        )
        return
    has = SPARK_OF_RUNTIME[actual["runtime"]], actual["scala"]
    wants = needed["spark"].replace("-", "."), needed["scala"].replace("-", ".")
    if has == wants:
        findings.ok(
            thing, RUNTIME, f"{version} has Spark {has[0]} and Scala {has[1]}, as the connector needs."
        )
    else:
        findings.failed(
            thing,
            RUNTIME,
            f"{version} has Spark {has[0]} and Scala {has[1]}; the connector {connector} needs {wants[0]} and "
            f"{wants[1]}.",
            ADVICE,
        )


def _check_version(findings: Findings, connector: str) -> None:
    found = CONNECTOR.search(connector)
    if found and tuple(map(int, found["version"].split("."))) < OLDEST_WITHOUT_DEADLOCK:
        findings.warning(
            connector,
            CONNECTOR_VERSION,
            "This version may hang for ever as several tasks load its classes at once.",
            "Set D2C_COSMOS_CONNECTOR to 4.47.0 or later.",
        )


def _check_access_mode(findings: Findings, thing: str, mode: str, wheel: str) -> None:
    if mode in DEDICATED:
        findings.ok(thing, ACCESS_MODE, f"{mode}: it allows the connector.")
    elif mode not in WITHOUT_UNITY_CATALOG:
        findings.failed(
            thing,
            ACCESS_MODE,
            f"{mode}: Unity Catalog forbids the connector on a shared cluster.",
            ADVICE,
        )
    elif wheel.startswith("/Volumes/"):
        findings.failed(
            thing,
            ACCESS_MODE,
            f"It has no Unity Catalog, and the wheel is in a volume of Unity Catalog: {wheel}.",
            f"{ADVICE} Or store the wheel in the workspace.",
        )
    else:
        findings.ok(thing, ACCESS_MODE, "No Unity Catalog, so no isolation: it allows the connector.")
