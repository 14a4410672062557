"""Stage prepare: the containers of a unit are taken and looked at, side by side, before anything is created or paid."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome
from activities.unit import look_at_each
from d2c.clients.azure.cosmos.data_plane import has_documents
from d2c.clients.azure.cosmos.resources import Container
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RefusedError
from d2c.load_run.mappers import table_mapper
from d2c.load_run.throughput.request_units import LoadSize, size_of_documents, size_of_items
from d2c.load_run.throughput.sizing import (
    scaling_of_existing,
    scaling_of_new,
    scaling_of_shared,
    throughput_of_new_database,
)
from d2c.mapping import Mapper
from d2c.mapping.container import (
    Misfit,
    find_concerns,
    find_misfit,
    find_short_key,
    marks_of,
    wanted_container,
)
from d2c.mapping.indexing import AFTER_LOAD, KEYS, is_late, late_policy, policy_of, write_factor
from d2c.plan.sharing import shares
from d2c.shapes import DatabaseThroughput, Described, LaneInput, Look, StageEntry, TableInput
from d2c.state.container_lock import Record, record_path, release_container, take_container
from d2c.state.table_files import keep, with_stages

OURS = "If an earlier try of this migration created it and loaded nothing, delete the container, and retry the table."
blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_prepare(clients: Clients, payload: LaneInput) -> Look[int]:
    """Look at each container of a unit; one that does not fit ends its table alone."""
    return look_at_each(clients, payload, "prepare", lambda table: _prepare(clients, table))


def _prepare(clients: Clients, table: TableInput) -> bool:
    """Take the container for a table and look at it; nothing is created or changed before assess has succeeded."""
    lake = clients.lake
    if table.get("is_prepared"):
        return True
    if "prepare_began" not in table:
        table = keep(lake, table, prepare_began=datetime.now(UTC).isoformat(timespec="milliseconds"))
    found = _take(clients, table)
    keep(lake, table, **found, is_prepared=True, stages=with_stages(table, _stage(table["prepare_began"])))
    return True


def _stage(began: str) -> StageEntry:
    seconds = (datetime.now(UTC) - datetime.fromisoformat(began)).total_seconds()
    return {"stage": "prepare", "state": "succeeded", "started_at": began, "seconds": round(seconds, 3)}


def _take(clients: Clients, payload: TableInput) -> dict[str, Any]:
    """Take the container for the table and look at it, and refuse one that does not fit.

    A lock that says what the throughput was is that of a container that has been scaled: it has to be put back,
    whatever becomes of the table. The result is what has been found.
    """
    lake, path = clients.lake, record_path(clients.settings, payload)
    record, _ = take_container(lake, path, payload)
    is_scaled = "peak_ru_per_second" in record
    try:
        described = payload.get("described") or describe(clients, payload, record)
    except (PermanentError, RefusedError):
        if not is_scaled:
            release_container(lake, path, payload)
        raise
    return {"described": described, **({"may_be_scaled": True} if is_scaled else {})}


def describe(clients: Clients, payload: TableInput, record: Record) -> Described:
    """Return what the container has to be, by what was found when it was first taken if the record says so."""
    source, settings = payload["source"], payload["throughput"]
    mapper = table_mapper(source["hash_key"], source["range_key"], source["ttl_attribute"], payload["rules"])
    bounds = clients.settings.load_bounds
    shape = wanted_container(mapper)
    policy = policy_of(payload.get("indexing", KEYS), mapper.rules, source.get("index_keys", ()))
    management, names = clients.cosmos_management, (payload["database"], payload["container"])
    container = management.find_container(*names)
    throughput = management.find_throughput(*names) if container else None
    shared = None if throughput else _shared(clients, payload, is_new=container is None)
    has = _policy_of_load(payload, policy, container)
    load = _load_size(payload, has)
    scaling = scaling_of_shared(shared) if shared else scaling_of_new(settings, load, bounds)
    new: Described = {
        "created": True,
        "partition_key_paths": shape["partition_key_paths"],
        "default_ttl": shape["default_ttl"],
        "indexing_policy": has,
        "final_policy": policy,
        **scaling,
    }
    if not is_late(has):
        del new["final_policy"]
    if container is None:
        return new
    refuse(
        payload,
        find_misfit(new, container) or find_short_key(mapper, container, source.get("number_keys", ())),
    )
    for concern in find_concerns(container, None if is_late(has) else policy):
        logger.warning("Container %s has %s %s", "/".join(names), concern.cause, concern.next_step)
    _check_empty(clients, payload, mapper)
    if record.get("created"):
        return new
    now = throughput.ru_per_second if throughput else None
    before = record.get("before_ru_per_second", now) or now
    return {
        **new,
        "created": False,
        **scaling_of_existing(settings, load, bounds, throughput, before),
    }


def _shared(clients: Clients, payload: TableInput, *, is_new: bool) -> DatabaseThroughput | None:
    """Return the throughput of its database that a container without its own shares by the plan, or None.

    Raises:
        PermanentError: if the container is to be created in a database that has none.
    """
    if not shares(payload):
        return None
    name = payload["database"]
    database = clients.cosmos_management.find_database(name)
    if database is None:
        return throughput_of_new_database(payload["throughput"])
    found = database.throughput
    if found is not None:
        return found.to_share()
    if is_new and not database.is_serverless:
        raise PermanentError(
            f"Database {name} has no throughput that containers could share, and can only be given some when it is "
            "created.",
            "Name a database that has some or does not exist yet, or set throughput.kind to manual or autoscale, and "
            "retry the table.",
            title="The database shares no throughput",
        )
    return None


def _policy_of_load(
    payload: TableInput, policy: Mapping[str, Any], container: Container | None
) -> dict[str, Any]:
    """Return the indexing policy of a container during the load: its own, or that with which it will be created."""
    if container is not None:
        return dict(container.indexing_policy)
    return late_policy() if payload.get("apply_indexing") == AFTER_LOAD else dict(policy)


def _load_size(payload: TableInput, policy: Mapping[str, Any]) -> LoadSize:
    """Return what the load writes under an indexing policy: by what assess has counted, or by the export."""
    factor, assessed = write_factor(policy), payload.get("assessed")
    if assessed:
        return size_of_documents(assessed["document_bytes"], assessed["write_ru"], factor)
    return size_of_items(payload["export"]["items"], payload["source"]["size_bytes"], factor)


def refuse(payload: TableInput, misfit: Misfit | None) -> None:
    """Refuse a container that documents of this table cannot be written to faithfully."""
    if misfit:
        name = f"Container {payload['database']}/{payload['container']}"
        next_step = f"{misfit.next_step} {OURS}" if payload["operation"] else misfit.next_step
        raise PermanentError(f"{name} has {misfit.cause}", next_step, misfit.title)


def _check_empty(clients: Clients, payload: TableInput, mapper: Mapper) -> None:
    """Refuse a container with documents in it, unless the plan allows them.

    In a container that tables share, only documents that could be this table's count.
    """
    names = payload["database"], payload["container"]
    if payload["allow_existing_documents"]:
        return
    marks = marks_of(mapper)
    if has_documents(clients.cosmos, *names, marks):
        which = f" with {', '.join(f'{name} = {value!r}' for name, value in marks.items())}" if marks else ""
        raise PermanentError(
            f"Container {'/'.join(names)} holds documents{which} already.",
            "Empty it, name another container, or set allow_existing_documents in the plan.",
            title="The container is not empty",
        )
