"""Formulas for the costs of a migration, over estimated or measured quantities."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from d2c.app.cluster_size import cores_of, workers_for
from d2c.app.prices import Prices

GB = 2**30
HOURS_OF_A_MONTH = 730
# An idle container with autoscale has a tenth of its maximum.
LEAST_AUTOSCALE_PART = 0.1
# The copy activities of adf/pipeline/copy_export.json.
COPY_ACTIVITIES = 2
# That of the summary takes a minute and the fewest units.
SUMMARY_MINUTES, SUMMARY_DIUS = 1, 2
# `cluster` is not a stage but a table's share of the start of its load run's cluster.
LOAD_STAGES = ("cluster", "assess", "load", "verify")
# While a container has the RU/s of its load.
SCALED_STAGES = ("load", "verify", "index")
ONCE, PER_MONTH = "once", "per month"

Json = dict[str, Any]


class Cluster(NamedTuple):
    """The cluster of a load run; ``nodes`` includes the driver, and is None if unknown.

    ``least_nodes``: of one that gets as many workers as its load needs; None of a fixed size.
    """

    nodes: int | None
    node_type: str
    is_existing: bool
    least_nodes: int | None = None


Quantity = Callable[[Json, Cluster, Prices], float | None]


class Cost(NamedTuple):
    """One cost: the formula in words, its quantity, and the name of its price."""

    service: str
    what: str
    when: str
    formula: str
    unit: str
    price: Callable[[Cluster], str]
    quantity: Quantity


def cluster_seconds(cluster: Cluster, prices: Prices) -> float:
    """Return the time in which a cluster starts; an existing one runs already."""
    return 0 if cluster.is_existing else prices.assumed("cluster_seconds")


def cluster_of(spec: Mapping[str, Any]) -> Cluster:
    """Return the size of a cluster from its specification.

    Args:
        spec: ``D2C_CLUSTER``, or the workspace's description of an existing cluster.
    """
    scale = spec.get("autoscale") or {}
    workers: Any = scale.get("max_workers", spec.get("num_workers"))
    is_existing = "existing_cluster_id" in spec
    return Cluster(
        nodes=None if workers is None else int(workers) + 1,
        node_type=str(spec.get("node_type_id") or "unknown"),
        is_existing=is_existing,
        least_nodes=int(scale.get("min_workers", 1)) + 1 if scale and not is_existing else None,
    )


def workers_of(cluster: Cluster, ru_per_second: int | None, prices: Prices) -> int | None:
    """Return the workers that a load run gets for its RU/s; None if they are unknown.

    Args:
        cluster: of the load runs.
        ru_per_second: of all tables that a run loads; None if the container has no throughput of its own.
        prices: prices and assumptions.
    """
    if cluster.nodes is None:
        return None
    most = max(cluster.nodes - 1, 1)
    if cluster.least_nodes is None or ru_per_second is None:
        return most
    cores = cores_of(cluster.node_type, prices.assumed("cores_per_node"))
    return workers_for(ru_per_second, cores, max(cluster.least_nodes - 1, 1), most)


def _hours(quantities: Json, stages: Sequence[str]) -> float:
    return float(sum(quantities["seconds"].get(stage) or 0 for stage in stages)) / 3600


def _node_hours(quantities: Json, cluster: Cluster, prices: Prices) -> float | None:
    nodes = quantities.get("nodes", cluster.nodes)
    return None if nodes is None else float(nodes * _hours(quantities, LOAD_STAGES))


def _dbus(quantities: Json, cluster: Cluster, prices: Prices) -> float | None:
    hours = _node_hours(quantities, cluster, prices)
    rate = prices.prices.get(f"dbu_per_hour:{cluster.node_type}")
    return None if hours is None or rate is None or rate.amount is None else hours * rate.amount


def _units_of_the_load(quantities: Json, cluster: Cluster, prices: Prices) -> float | None:
    """Return hours times hundreds of RU/s; each started clock hour is billed by its highest throughput."""
    load, create = quantities["load_ru_per_second"], quantities.get("create_ru_per_second") or 0
    if load is None:
        return None
    hours = max(math.ceil(_hours(quantities, SCALED_STAGES)), 1)
    return float(
        (load * hours + max(create - load, 0)) / 100 * billed_times(quantities) / sharers(quantities)
    )


def _units_of_a_month(quantities: Json, cluster: Cluster, prices: Prices) -> float | None:
    after = quantities["after_ru_per_second"]
    if after is None:
        return None
    idle = after * LEAST_AUTOSCALE_PART if quantities.get("autoscale") else after
    return float(idle / 100 * HOURS_OF_A_MONTH * billed_times(quantities) / sharers(quantities))


def sharers(quantities: Json) -> int:
    """Return how many tables share a table's RU/s, each of which counts an equal part of their price."""
    return int(quantities.get("sharers", 1))


def _stored(quantities: Json, cluster: Cluster, prices: Prices) -> float | None:
    stored = _gigabytes("bytes")(quantities, cluster, prices)
    return None if stored is None else stored * quantities.get("regions", 1)


def billed_times(quantities: Json) -> float:
    """Return by how much regions and autoscale multiply the price of throughput.

    Throughput costs twice as much where all regions can be written to, with autoscale and without; else autoscale costs
    half as much again. https://azure.microsoft.com/pricing/details/cosmos-db/autoscale-provisioned/
    """
    rate = 1.5 if quantities.get("autoscale") else 1.0
    return float(quantities.get("regions", 1) * (2.0 if quantities.get("writes_in_all") else rate))


def _diu_hours(quantities: Json, cluster: Cluster, prices: Prices) -> float:
    """Return DIU-hours; each activity is billed by started minutes."""
    minutes = math.ceil((quantities["seconds"].get("copy") or 0) / 60) - SUMMARY_MINUTES
    of_data = prices.assumed("factory_dius") * max(minutes, 1)
    return (of_data + SUMMARY_DIUS * SUMMARY_MINUTES) / 60


def _activity_runs(quantities: Json, cluster: Cluster, prices: Prices) -> float:
    return COPY_ACTIVITIES / 1000


def _gb_seconds(quantities: Json, cluster: Cluster, prices: Prices) -> float:
    return _hours(quantities, list(quantities["seconds"])) * prices.assumed("function_gb_seconds_per_hour")


def _part(name: str, of: int) -> Quantity:
    def part(quantities: Json, cluster: Cluster, prices: Prices) -> float | None:
        return None if quantities[name] is None else float(quantities[name]) / of

    return part


def _gigabytes(name: str) -> Quantity:
    return _part(name, GB)


def _thousands(name: str) -> Quantity:
    return _part(name, 1000)


def _named(name: str) -> Callable[[Cluster], str]:
    return lambda cluster: name


COSTS = (
    Cost(
        "DynamoDB",
        "export",
        ONCE,
        "GB of the table",
        "GB",
        _named("dynamodb_export"),
        _gigabytes("billed_bytes"),
    ),
    Cost(
        "DynamoDB",
        "point-in-time recovery",
        PER_MONTH,
        "GB of the table, as long as it is on",
        "GB",
        _named("dynamodb_recovery"),
        _gigabytes("bytes"),
    ),
    Cost(
        "S3",
        "writing the export",
        ONCE,
        "data files / 1,000",
        "1,000 requests",
        _named("s3_put"),
        _thousands("files"),
    ),
    Cost(
        "S3",
        "reading the export",
        ONCE,
        "data files / 1,000",
        "1,000 requests",
        _named("s3_get"),
        _thousands("files"),
    ),
    Cost(
        "S3",
        "keeping the export",
        PER_MONTH,
        "GB in S3, until you delete it",
        "GB",
        _named("s3_storage"),
        _gigabytes("copied_bytes"),
    ),
    Cost(
        "AWS", "transfer out", ONCE, "GB in S3", "GB", _named("aws_transfer_out"), _gigabytes("copied_bytes")
    ),
    Cost(
        "Data Factory",
        "data movement",
        ONCE,
        "(DIU * begun minutes of the data + 2 DIU * 1 minute of the summary) / 60",
        "DIU-hours",
        _named("factory_diu_hour"),
        _diu_hours,
    ),
    Cost(
        "Data Factory",
        "activity runs",
        ONCE,
        "activities of the pipeline / 1,000",
        "1,000 runs",
        _named("factory_activity_runs"),
        _activity_runs,
    ),
    Cost(
        "Databricks",
        "DBU",
        ONCE,
        "nodes * hours of the cluster's start, assess, load, verify * DBU per node and hour",
        "DBU",
        lambda cluster: "databricks_all_purpose_dbu" if cluster.is_existing else "databricks_job_dbu",
        _dbus,
    ),
    Cost(
        "Databricks",
        "virtual machines",
        ONCE,
        "nodes * hours of the cluster's start, assess, load, verify",
        "hours",
        lambda cluster: f"vm_hour:{cluster.node_type}",
        _node_hours,
    ),
    Cost(
        "Cosmos DB",
        "throughput of the load",
        ONCE,
        "(begun hours of load, verify * RU/s of the load + what RU/s of the creation are more) / 100 * regions, RU/s "
        "that tables share in equal parts",
        "100 RU/s and hour",
        _named("cosmos_100_ru_hour"),
        _units_of_the_load,
    ),
    Cost(
        "Cosmos DB",
        "throughput afterwards",
        PER_MONTH,
        "730 hours * RU/s after the load (with autoscale a tenth, as long as it is idle) / 100 * regions, RU/s that "
        "tables share in equal parts",
        "100 RU/s and hour",
        _named("cosmos_100_ru_hour"),
        _units_of_a_month,
    ),
    Cost(
        "Cosmos DB",
        "storage",
        PER_MONTH,
        "GB of the table * regions; indexes come on top",
        "GB",
        _named("cosmos_storage"),
        _stored,
    ),
    Cost(
        "Lake",
        "keeping the export",
        PER_MONTH,
        "GB in the lake, until you delete it",
        "GB",
        _named("lake_storage"),
        _gigabytes("copied_bytes"),
    ),
    Cost(
        "Functions",
        "executions",
        ONCE,
        "hours of all stages * GB-s per hour",
        "GB-s",
        _named("functions_gb_second"),
        _gb_seconds,
    ),
)


def cost_lines(tables: Sequence[Json], cluster: Cluster, prices: Prices) -> list[Json]:
    """Return each cost of some tables: the formula, the calculation, and the amount of money if it is known.

    Args:
        tables: the quantities of each.
        cluster: of the load runs.
        prices: prices and assumptions.
    """
    return [_line(cost, tables, cluster, prices) for cost in COSTS]


def _line(cost: Cost, tables: Sequence[Json], cluster: Cluster, prices: Prices) -> Json:
    quantities = [cost.quantity(table, cluster, prices) for table in tables]
    quantity = None if None in quantities else sum(each for each in quantities if each is not None)
    name = cost.price(cluster)
    price = prices.prices.get(name)
    amount = price.amount if price else None
    money = None if quantity is None or amount is None else quantity * amount
    return {
        "service": cost.service,
        "what": cost.what,
        "when": cost.when,
        "formula": f"{cost.formula} * price",
        "quantity": quantity,
        "unit": cost.unit,
        "price": name,
        "amount": amount,
        "is_confirmed": bool(price and price.is_confirmed),
        "money": money,
    }


def money_of_starts(seconds: float, cluster: Cluster, prices: Prices) -> float | None:
    """Return what a cluster costs while it starts, or None if a price or its size is unknown.

    Args:
        seconds: of all starts together.
        cluster: of the load runs.
        prices: prices and assumptions.
    """
    quantities = {"seconds": {"cluster": seconds}}
    lines = [_line(cost, [quantities], cluster, prices) for cost in COSTS if cost.service == "Databricks"]
    known = [line["money"] for line in lines if line["money"] is not None]
    return sum(known) if len(known) == len(lines) else None


def money_sums(lines: Sequence[Json]) -> Json:
    """Return the sums of the known costs, and the costs without a known price."""
    known = [line for line in lines if line["money"] is not None]
    return {
        "once": sum(line["money"] for line in known if line["when"] == ONCE),
        "per_month": sum(line["money"] for line in known if line["when"] == PER_MONTH),
        "unknown": [f"{line['service']}: {line['what']}" for line in lines if line["money"] is None],
    }
