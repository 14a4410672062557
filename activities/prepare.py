"""Stage prepare: the containers of a unit are created or checked and scaled for the load, side by side."""

import logging
from datetime import UTC, datetime

import azure.durable_functions as df

from activities.outcome import outcome
from activities.unit import for_each, open_tables
from d2c.clients.azure.cosmos import has_documents
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RefusedError
from d2c.load_run.mappers import table_mapper
from d2c.load_run.throughput import (
    change_throughput,
    scaling_of_existing,
    scaling_of_new,
    wanted_ru_per_second,
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
from d2c.shapes import Described, LaneInput, Look, StageEntry, TableInput
from d2c.state.container_lock import (
    Record,
    keep_record,
    record_path,
    release_container,
    take_container,
)
from d2c.state.table_files import keep, with_stages

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_prepare(clients: Clients, payload: LaneInput) -> str:
    """Return what stands for the preparation of a unit, which the looks do step by step."""
    for_each(clients, payload, open_tables(clients.lake, payload), "prepare", lambda table: False)
    return "prepare"


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_prepare(clients: Clients, payload: LaneInput) -> Look[int]:
    """Do the next step for each container of a unit that is not ready; one that fails ends its table alone."""
    names = open_tables(clients.lake, payload)
    waiting = for_each(clients, payload, names, "prepare", lambda table: _prepare(clients, table))
    if waiting:
        return {"state": "running", "progress": {"tables": len(waiting)}}
    return {"state": "succeeded", "result": len(open_tables(clients.lake, payload))}


def _prepare(clients: Clients, table: TableInput) -> bool:
    """Do the next step of a table's preparation; the result is whether all is done."""
    lake = clients.lake
    if table.get("is_prepared"):
        return True
    if "prepare_began" not in table:
        table = keep(lake, table, prepare_began=datetime.now(UTC).isoformat(timespec="milliseconds"))
    if "described" not in table:
        table = keep(lake, table, described=_take(clients, table))
    if not table.get("is_asked_for"):
        _ask_for(clients, table)
        table = keep(lake, table, is_asked_for=True)
    if not _is_scaled(clients, table):
        return False
    keep(lake, table, is_prepared=True, stages=with_stages(table, _stage(table["prepare_began"])))
    return True


def _stage(began: str) -> StageEntry:
    seconds = (datetime.now(UTC) - datetime.fromisoformat(began)).total_seconds()
    return {"stage": "prepare", "state": "succeeded", "started_at": began, "seconds": round(seconds, 3)}


def _take(clients: Clients, payload: TableInput) -> Described:
    """Take the container for the table, look at it before anything is changed, and refuse one that does not fit.

    The result says what it has to be, and what its throughput was: once it is scaled, only the record remembers.
    """
    lake, path = clients.lake, record_path(clients.settings, payload)
    record, version = take_container(lake, path, payload)
    try:
        description = _describe(clients, payload, record)
    except (PermanentError, RefusedError):
        if "peak_ru_per_second" not in record:
            release_container(lake, path, payload)
        raise
    keep_record(lake, path, {**record, **description}, version)
    return description


def _describe(clients: Clients, payload: TableInput, record: Record) -> Described:
    """Return what the container has to be, by what was found when it was first taken if the record says so."""
    source, settings = payload["source"], payload["throughput"]
    mapper = table_mapper(source["hash_key"], source["range_key"], source["ttl_attribute"], payload["rules"])
    size = payload["export"]["items"], source["size_bytes"]
    shape = wanted_container(mapper)
    new: Described = {
        "created": True,
        "partition_key_paths": shape["partition_key_paths"],
        "default_ttl": shape["default_ttl"],
        **scaling_of_new(settings, wanted_ru_per_second(settings, *size)),
    }
    management, names = clients.cosmos_management, (payload["database"], payload["container"])
    container = management.find_container(*names)
    if container is None:
        return new
    _refuse(
        payload,
        find_misfit(new, container) or find_short_key(mapper, container, source.get("number_keys", ())),
    )
    for concern in find_concerns(container):
        logger.warning("Container %s has %s %s", "/".join(names), concern.cause, concern.next_step)
    _check_empty(clients, payload, mapper)
    if record.get("created"):
        return new
    throughput = management.find_throughput(*names)
    now = throughput.ru_per_second if throughput else None
    before = record.get("before_ru_per_second", now) or now
    wanted = wanted_ru_per_second(settings, *size, before)
    return {**new, "created": False, **scaling_of_existing(settings, wanted, throughput, before)}


def _ask_for(clients: Clients, payload: TableInput) -> None:
    """Create what is not there yet and ask for the load's throughput.

    A container may be there that was not when it was looked at: from an earlier try of this, or somebody else's.
    """
    lake, management = clients.lake, clients.cosmos_management
    names = payload["database"], payload["container"]
    described = payload["described"]
    _hold(lake, record_path(clients.settings, payload), payload)
    container = management.find_container(*names)
    if container is None:
        management.create_database(payload["database"])
        management.create_container(
            *names,
            partition_key_paths=described["partition_key_paths"],
            default_ttl=described["default_ttl"],
            ru_per_second=described["peak_ru_per_second"],
        )
        return
    _refuse(payload, find_misfit(described, container))
    throughput = management.find_throughput(*names)
    if throughput and described["peak_ru_per_second"] is not None:
        change_throughput(management, *names, throughput, described["peak_ru_per_second"])


def _hold(lake: Lake, path: str, payload: TableInput) -> None:
    """Take the container again where the record is gone, as before a retry of what an earlier round described."""
    record, version = take_container(lake, path, payload)
    if "peak_ru_per_second" not in record:
        keep_record(lake, path, {**record, **payload["described"]}, version)


def _is_scaled(clients: Clients, payload: TableInput) -> bool:
    """Return whether the container has the load's throughput, which takes the service hours if it grows far.

    A change may still be under way although the service does not say so; to ask again is to hear if it was refused.
    """
    management, names = clients.cosmos_management, (payload["database"], payload["container"])
    throughput = management.find_throughput(*names)
    wanted = payload["described"]["peak_ru_per_second"]
    if throughput is None or wanted is None:
        return True
    if not throughput.pending and throughput.ru_per_second >= wanted:
        return True
    if not throughput.pending:
        change_throughput(management, *names, throughput, wanted)
    return False


def _refuse(payload: TableInput, misfit: Misfit | None) -> None:
    """Refuse a container that documents of this table cannot be written to faithfully."""
    if misfit:
        name = f"Container {payload['database']}/{payload['container']}"
        raise PermanentError(f"{name} has {misfit.cause}", misfit.next_step, misfit.title)


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
