"""How large a load run's cluster is, in cores and RU/s, and how large it has to be for the RU/s of a load.

A core writes 3,000 to 5,000 RU/s with the connector.
https://github.com/Azure/azure-sdk-for-java/blob/main/sdk/cosmos/azure-cosmos-spark_3/docs/scenarios/Ingestion.md
"""

import math
import re
from collections.abc import Mapping
from typing import Any

RU_PER_CORE = 4_000
# A machine's name has its cores: Standard_D4ds_v5 has 4, and of Standard_E16-8s_v5 8 of 16 are on. Names of older
# versions count something else.
# https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions
MACHINE = re.compile(r"Standard_[A-Z]+(\d+)(?:-(\d+))?[a-z]*(?:_[A-Z0-9]+)?_v(?:[3-9]|\d\d)")
# What nobody knows of an existing cluster or a policy's, as in the default cluster.
UNKNOWN_WORKERS = 8


def cores_of(node_type: str, assumed_cores: float) -> int:
    """Return the cores of a machine.

    Args:
        node_type: its name.
        assumed_cores: of a machine whose name does not say it, such as that of a pool.
    """
    named = MACHINE.fullmatch(node_type)
    return int(named[2] or named[1]) if named else max(round(assumed_cores), 1)


def workers_of(cluster: Mapping[str, Any]) -> int | None:
    """Return the most workers of a cluster, None if its specification does not say; a single node works itself."""
    workers: Any = (cluster.get("autoscale") or {}).get("max_workers", cluster.get("num_workers"))
    return None if workers is None else max(int(workers), 1)


def ru_per_second_of(cluster: Mapping[str, Any], assumed_cores: float) -> int:
    """Return the RU/s that a cluster can write with, with all its workers.

    Args:
        cluster: its specification.
        assumed_cores: of a machine whose name does not say it.
    """
    cores = cores_of(str(cluster.get("node_type_id") or ""), assumed_cores)
    return (workers_of(cluster) or UNKNOWN_WORKERS) * cores * RU_PER_CORE


def workers_for(ru_per_second: int, cores: int, least: int, most: int) -> int:
    """Return the workers that write with so many RU/s.

    Args:
        ru_per_second: of all tables that are loaded side by side.
        cores: of a worker.
        least: workers.
        most: workers.
    """
    return min(max(math.ceil(ru_per_second / (cores * RU_PER_CORE)), least), most)


def sized_cluster(cluster: Mapping[str, Any], ru_per_second: int, assumed_cores: float) -> Mapping[str, Any]:
    """Return a cluster with as many workers at most as a load needs; only one that scales by itself is sized.

    Args:
        cluster: the specification in the settings, which has the most workers.
        ru_per_second: of all tables that the run loads side by side.
        assumed_cores: of a machine whose name does not say it.
    """
    scale = cluster.get("autoscale")
    if not scale:
        return cluster
    cores = cores_of(str(cluster.get("node_type_id") or ""), assumed_cores)
    least, most = max(int(scale.get("min_workers", 1)), 1), int(scale["max_workers"])
    return {
        **cluster,
        "autoscale": {**scale, "max_workers": workers_for(ru_per_second, cores, least, most)},
    }
