"""The setting ``D2C_CLUSTER``: the cluster of load runs, checked and completed when it is read.

A cluster that does not support the connector or Unity Catalog is refused here, not after a migration's export.
https://learn.microsoft.com/azure/databricks/compute/configure#access-modes and
https://github.com/Azure/azure-sdk-for-java/blob/main/sdk/cosmos/azure-cosmos-spark_4-0_2-13/README.md
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from d2c.app.environment import json_object
from d2c.foreign_json import quoted

NAME = "D2C_CLUSTER"
# Spark 4.0 and Scala 2.13, as the connector needs.
RUNTIME = "17.3.x-scala2.13"
FITTING_RUNTIME = re.compile(r"17\.\d+\.x(-[a-z-]+)?-scala2\.13")
DEFAULTS: Mapping[str, Any] = {"spark_version": RUNTIME, "data_security_mode": "SINGLE_USER"}
DEFAULT_MACHINE = "Standard_D4ds_v5"
DEFAULT_SIZE: Mapping[str, Any] = {"autoscale": {"min_workers": 1, "max_workers": 8}}
# One identity's own cluster, or one without Unity Catalog; the connector is refused on a shared one.
ACCESS_MODES = ("SINGLE_USER", "DATA_SECURITY_MODE_DEDICATED", "NONE")
POOLS = ("instance_pool_id", "driver_instance_pool_id")
MACHINES = ("node_type_id", "driver_node_type_id")
SIZES = ("autoscale", "num_workers", "is_single_node")
EXISTING = "existing_cluster_id"
# The fields of a new cluster in the Jobs API 2.2 that concern a job's cluster on Azure.
FIELDS = frozenset(
    [
        "apply_policy_default_values",
        "autoscale",
        "azure_attributes",
        "cluster_log_conf",
        "custom_tags",
        "data_security_mode",
        "driver_instance_pool_id",
        "driver_node_type_id",
        "enable_elastic_disk",
        "enable_local_disk_encryption",
        "init_scripts",
        "instance_pool_id",
        "is_single_node",
        "kind",
        "node_type_id",
        "num_workers",
        "policy_id",
        "runtime_engine",
        "single_user_name",
        "spark_conf",
        "spark_env_vars",
        "spark_version",
        "use_ml_runtime",
        "workload_type",
    ]
)
SECRET_NAME = re.compile(r"secret|password|token|key$", re.IGNORECASE)
# The reference to a value of a secret scope. https://learn.microsoft.com/azure/databricks/security/secrets/
SECRET_REFERENCE = re.compile(r"\{\{secrets/[^{}/]+/[^{}/]+\}\}")


def read_cluster(text: str) -> Mapping[str, Any]:
    """Return a load run's cluster as the Jobs API takes it.

    Args:
        text: ``{"existing_cluster_id": id}``, or fields of a new cluster; missing fields are completed, so that an
            empty text is a whole cluster.

    Raises:
        ValueError: with a sentence per fault.
    """
    cluster = json_object(NAME, text or "{}")
    faults = list(_faults_of_existing(cluster) if EXISTING in cluster else _faults_of_new(cluster))
    if faults:
        raise ValueError(*faults)
    return cluster if EXISTING in cluster else _completed(cluster)


def _faults_of_existing(cluster: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(cluster[EXISTING], str) or not cluster[EXISTING]:
        yield f"{NAME}.{EXISTING} is not the id of a cluster"
    if others := sorted(cluster.keys() - {EXISTING}):
        yield f"{NAME} has {EXISTING} together with {', '.join(others)}: an existing cluster has its own; omit them"


def _faults_of_new(cluster: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(cluster.keys() - FIELDS):
        fields = ", ".join(sorted(FIELDS))
        yield f"{NAME} has the field {quoted(name)}, which a job's cluster does not have; it has {fields}"
    version = cluster.get("spark_version", RUNTIME)
    if not isinstance(version, str) or not FITTING_RUNTIME.fullmatch(version):
        yield (
            f"{NAME}.spark_version is {quoted(version)}, but the Cosmos DB connector needs Spark 4.0 and Scala 2.13: "
            f"take {RUNTIME}"
        )
    mode = cluster.get("data_security_mode", "SINGLE_USER")
    if mode not in ACCESS_MODES:
        yield (
            f"{NAME}.data_security_mode is {quoted(mode)}: Unity Catalog refuses the Cosmos DB connector in shared "
            "access mode (SQLSTATE 0AKUC), and a job has no other; use SINGLE_USER"
        )
    pools, machines = [name for name in POOLS if cluster.get(name)], [n for n in MACHINES if cluster.get(n)]
    if pools and machines:
        yield f"{NAME} has {', '.join(machines)} and {', '.join(pools)}: a pool has its own machines; omit them"
    if "driver_instance_pool_id" in pools and "instance_pool_id" not in pools:
        yield f"{NAME} has driver_instance_pool_id without instance_pool_id"
    if "autoscale" in cluster and "num_workers" in cluster:
        yield f"{NAME} has both autoscale and num_workers; omit one"
    yield from _plain_secrets(cluster)


def _plain_secrets(cluster: Mapping[str, Any]) -> Iterator[str]:
    for field in ("spark_conf", "spark_env_vars"):
        values = cluster.get(field, {})
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            yield f"{NAME}.{field} is not a JSON object of texts"
            continue
        for name, value in values.items():
            # An account's name ends some of Spark's names: fs.azure.account.oauth2.client.secret.<account>...
            setting = re.sub(r"\.[a-z0-9]+\.(dfs|blob)\.core\.windows\.net$", "", name)
            if SECRET_NAME.search(setting.rpartition(".")[2]) and not SECRET_REFERENCE.fullmatch(value):
                yield (
                    f"{NAME}.{field} holds {quoted(name)} as plain text, which everyone who can view a run can read: "
                    "put it into a secret scope and write {{secrets/<scope>/<name>}}"
                )


def _completed(cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a new cluster with the missing fields; a policy's values take precedence over default machines."""
    completed = {**DEFAULTS, **cluster}
    if completed.get("policy_id"):
        return {"apply_policy_default_values": True, **completed}
    if not any(completed.get(name) for name in POOLS):
        completed = {"node_type_id": DEFAULT_MACHINE, **completed}
    return completed if completed.keys() & set(SIZES) else {**completed, **DEFAULT_SIZE}
