"""The check of a plan before its migration: looks at every system and table, and changes nothing.

All that is written is the check's own folder in the lake (`d2c.checks.store`).
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import azure.durable_functions as df

from activities import check_systems
from activities.check_systems import Checked
from activities.outcome import outcome
from d2c.app import clock
from d2c.app.cluster_size import ru_per_second_of
from d2c.app.settings import Settings
from d2c.app.threads import side_by_side
from d2c.checks.cosmos.account import check_room
from d2c.checks.cosmos.containers import check_container
from d2c.checks.cosmos.indexes import check_shared_indexing
from d2c.checks.cosmos.sharing import check_sharing
from d2c.checks.cosmos.throughput import PlannedThroughput
from d2c.checks.findings import counts_of_findings, state_of_findings
from d2c.checks.store import keep, kept
from d2c.checks.tables import CheckedTable, check_allowed, check_table, find_tables
from d2c.clients.azure.cosmos.data_plane import has_documents
from d2c.clients.azure.cosmos.management import Container, Database, Throughput
from d2c.clients.clients import Clients
from d2c.load_run.throughput.request_units import LoadSize, size_of_items
from d2c.load_run.throughput.sizing import (
    LEAST_LOAD_RU,
    LOAD_HOURS,
    scaling_of_existing,
    scaling_of_new,
    scaling_of_shared,
    throughput_of_new_database,
    verify_ru_of,
)
from d2c.mapping.indexing import default_policy, write_factor
from d2c.plan.caps import caps_of, tables_per_run
from d2c.plan.model import Plan
from d2c.plan.sharing import shares
from d2c.plan.tables import in_order, location_of
from d2c.report.costs import cluster_of, cluster_seconds
from d2c.report.estimate import estimate_of
from d2c.report.terms import Terms
from d2c.shapes import Caps, CheckInput, CheckParts, CheckResult, LoadBounds, Reference
from d2c.state.container_lock import record_path

TABLES_OF_A_PART = 25
TABLE_FIELDS = ("table", "database", "container", "account", "region", "verify", "throughput")
TABLES_AT_ONCE = 8

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def list_checked_tables(clients: Clients, payload: CheckInput) -> CheckParts:
    """Find the plan's tables, and put them into parts that are checked side by side."""
    plan = _plan(clients, payload)
    tables, findings = find_tables(plan, lambda place: clients.dynamodb(*place).list_tables())
    findings += check_allowed(plan, tables, clients.settings)
    starts = range(0, len(tables), TABLES_OF_A_PART)
    parts = [
        _keep(clients, payload, f"tables-{number}", tables[start : start + TABLES_OF_A_PART])
        for number, start in enumerate(starts)
    ]
    return {"parts": parts, "result": _keep(clients, payload, "plan-tables", {"findings": findings})}


@blueprint.activity_trigger(input_name="payload")
@outcome
def check_system(clients: Clients, payload: CheckInput) -> Reference:
    """Look at one system; the result is where its findings are kept."""
    system = payload["system"]
    checked = check_systems.CHECKS[system](clients, _plan(clients, payload), payload)
    return _keep(clients, payload, system, {"findings": checked.findings, "facts": checked.facts})


@blueprint.activity_trigger(input_name="payload")
@outcome
def check_tables(clients: Clients, payload: CheckInput) -> Reference:
    """Look at a part of the plan's tables and their containers; the result is where the findings are kept."""
    tables = _kept(clients, payload["tables"])
    migration = _plan(clients, payload).name
    checked = side_by_side(
        lambda table: _check_table(clients, migration, table), tables, at_once=TABLES_AT_ONCE
    )
    part = {
        "findings": [finding for one in checked for finding in one.findings],
        "tables": [one.facts for one in checked],
    }
    return _keep(clients, payload, f"found-{payload['part']}", part)


@blueprint.activity_trigger(input_name="payload")
@outcome
def sum_up_check(clients: Clients, payload: CheckInput) -> CheckResult:
    """Put all findings together, with those that need the whole plan; the result has the state and where they are."""
    settings, plan = clients.settings, _plan(clients, payload)
    results = [_kept(clients, reference) or {"findings": []} for reference in payload["results"]]
    facts = {name: fact for result in results for name, fact in result.get("facts", {}).items()}
    tables = [table for result in results for table in result.get("tables", ())]
    findings = [finding for result in results for finding in result["findings"]]
    cluster = facts.get("cluster", settings.cluster)
    terms = _terms(settings, cluster, facts.get("account", {}))
    caps = _caps(plan, cluster, settings)
    findings += check_room(settings.cosmos_account, facts, tables, caps)
    findings += check_sharing(facts, tables)
    findings += check_shared_indexing(tables)
    summary = {
        "checked_at": clock.text(),
        "checks": findings,
        "estimate": _estimate(in_order(plan, tables), terms, caps),
    }
    return {
        "state": state_of_findings(findings),
        "counts": counts_of_findings(findings),
        "result": _keep(clients, payload, "result", summary),
    }


def _check_table(clients: Clients, migration: str, table: Mapping[str, Any]) -> Checked:
    settings = clients.settings
    checked = check_table(table, lambda: clients.dynamodb(*location_of(table)), settings.export_bucket)
    planned_of = partial(_planned, table, checked, settings)
    number_keys = checked.description.number_keys if checked.description else ()
    indexes = checked.description.indexes if checked.description else ()
    container = check_container(
        table, checked.mapper, planned_of, migration, _ContainerReads(clients), number_keys, indexes
    )
    facts = {
        **{name: table.get(name) for name in TABLE_FIELDS},
        "item_count": checked.description.item_count if checked.description else None,
        "size_bytes": checked.description.size_bytes if checked.description else None,
        "write_ru": container.planned.ru,
        "load_ru": container.planned.highest_ru_per_second,
        "after_ru": container.planned.after_ru_per_second or 0,
        "scaling": container.planned.scaling,
        "verify_ru_per_second": container.planned.verify_ru_per_second,
        "ru_per_second": container.ru_per_second,
        "index_factor": write_factor(container.policy or default_policy()),
        "added_factor": container.added_factor,
        "indexed": container.indexed,
    }
    return Checked([*checked.findings, *container.findings], facts)


def _planned(
    table: Mapping[str, Any],
    checked: CheckedTable,
    app: Settings,
    policy: Mapping[str, Any] | None,
    throughput: Throughput | None,
) -> PlannedThroughput:
    """Return how a table's container is scaled; that of a table of unknown size gets the least of a large one."""
    description, settings, bounds = checked.description, table["throughput"], app.load_bounds
    load = LoadSize(0, LEAST_LOAD_RU * LOAD_HOURS * 3600)
    if description is not None:
        factor = write_factor(policy or default_policy())
        load = size_of_items(description.item_count, description.size_bytes, factor)
    if throughput is not None:
        scaling = scaling_of_existing(settings, load, bounds, throughput, throughput.ru_per_second)
        verify_ru = verify_ru_of(scaling["peak_ru_per_second"], app.load_runs.verify_ru_percent)
        return PlannedThroughput(scaling, load.size_bytes, load.ru, verify_ru)
    if shares(table):
        scaling = scaling_of_shared(throughput_of_new_database(settings))
    else:
        scaling = scaling_of_new(settings, load, bounds)
    return PlannedThroughput(scaling, load.size_bytes, load.ru)


def _caps(plan: Plan, cluster: Mapping[str, Any], settings: Settings) -> Caps:
    return caps_of(plan, cluster_seconds(cluster_of(cluster), settings.prices))


def _terms(settings: Settings, cluster: Mapping[str, Any], account: Mapping[str, Any]) -> Terms:
    most, assumed_cores = settings.load_runs.most_ru_per_second, settings.prices.assumed("cores_per_node")
    return Terms(
        cluster_of(cluster),
        settings.prices,
        LoadBounds(most, ru_per_second_of(cluster, assumed_cores)),
        account.get("regions", 1),
        account.get("writes_in_all", False),
    )


def _estimate(tables: Sequence[Mapping[str, Any]], terms: Terms, caps: Caps) -> dict[str, Any]:
    """Return the estimate of tables in their order, with about how many share the load run of each."""
    shares = tables_per_run(tables, caps)
    shared = [{**table, "tables_per_run": share} for table, share in zip(tables, shares, strict=True)]
    return estimate_of(shared, terms, caps)


class _ContainerReads:
    """Looks at containers with the app's clients."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def find_container(self, database: str, container: str) -> Container | None:
        return self._clients.cosmos_management.find_container(database, container)

    def find_throughput(self, database: str, container: str) -> Throughput | None:
        return self._clients.cosmos_management.find_throughput(database, container)

    def find_database(self, database: str) -> Database | None:
        return self._clients.cosmos_management.find_database(database)

    def has_documents(self, database: str, container: str, constants: Mapping[str, Any]) -> bool:
        return has_documents(self._clients.cosmos, database, container, constants)

    def record(self, database: str, container: str) -> dict[str, Any] | None:
        names = {"database": database, "container": container}
        record: dict[str, Any] | None = self._clients.lake.read_json(
            record_path(self._clients.settings, names)
        )
        return record


def _plan(clients: Clients, payload: CheckInput) -> Plan:
    return Plan.model_validate(_kept(clients, payload["plan"]))


def _keep(clients: Clients, payload: CheckInput, name: str, value: Any) -> Reference:
    return keep(lambda: clients.lake, payload["check"], name, value)


def _kept(clients: Clients, reference: Reference) -> Any:
    return kept(lambda: clients.lake, reference)
