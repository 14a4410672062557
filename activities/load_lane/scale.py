"""The container of a table whose items fit: it is created, and scaled for the load, step by step.

Each step is kept in the table's file, so that whoever goes on after a death does nothing twice.
"""

import azure.durable_functions as df

from activities.load_lane.index import index_next
from activities.load_lane.prepare import describe, refuse
from activities.outcome import outcome
from activities.unit import look_at_each
from d2c.clients.clients import Clients
from d2c.load_run.throughput.scaling import change_throughput, is_scaled
from d2c.mapping.container import find_misfit
from d2c.shapes import Described, LaneInput, Look, TableInput
from d2c.state.container_lock import Record, keep_record, record_path, take_container
from d2c.state.table_files import awaits_indexes, keep

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_scale(clients: Clients, payload: LaneInput) -> Look[int]:
    """Do the next step for each container that a load run did not wait for; the result is the tables to be loaded.

    Tables that are loaded already get their indexes meanwhile.
    """
    loaded: list[str] = []

    def step(table: TableInput) -> bool:
        ready = is_ready(clients, table)
        if ready and awaits_indexes(table) and not index_next(clients, payload, table):
            loaded.append(table["table"])
        return ready

    look = look_at_each(clients, payload, "load", step)
    if look["state"] == "succeeded":
        return {"state": "succeeded", "result": look["result"] - len(loaded)}
    return look


def is_ready(clients: Clients, table: TableInput) -> bool:
    """Do the next step for a container as `scaled` does, and keep that it is done; return whether it was the last."""
    after = scaled(clients, table)
    if after and after is not table:
        keep(clients.lake, after)
    return after is not None


def scaled(clients: Clients, table: TableInput) -> TableInput | None:
    """Do the next step for the container of a table that has been assessed.

    The result is the table as its file is to have it once the container is there with the load's throughput; None
    before.
    """
    if table.get("is_scaled"):
        return table
    lock = None
    if not table.get("may_be_scaled"):
        lock = _take(clients, table)
        table = keep(
            clients.lake, table, described=_described_again(clients, table, lock[0]), may_be_scaled=True
        )
    asked: TableInput = {**table, "is_asked_for": True}
    if not table.get("is_asked_for"):
        _ask_for(clients, table, lock or _take(clients, table))
    if _is_scaled(clients, table):
        return {**asked, "is_scaled": True}
    if not table.get("is_asked_for"):
        keep(clients.lake, asked)
    return None


def _take(clients: Clients, table: TableInput) -> tuple[Record, str]:
    return take_container(clients.lake, record_path(clients.settings, table), table)


def _described_again(clients: Clients, table: TableInput, record: Record) -> Described:
    """Return what the container has to be by now: assess may have taken hours, and says how large the documents are.

    One that an earlier operation may have written to keeps what that has found: it holds documents of this table.
    """
    return table["described"] if table.get("may_have_written") else describe(clients, table, record)


def _ask_for(clients: Clients, payload: TableInput, lock: tuple[Record, str]) -> None:
    """Create what is not there yet and ask for the load's throughput.

    What it was is written into the lock before anything is changed: once it is, only the lock knows. A container may be
    there that was not when it was looked at: from an earlier try of this, or somebody else's.
    """
    management, names = clients.cosmos_management, (payload["database"], payload["container"])
    described = payload["described"]
    record, version = lock
    if "peak_ru_per_second" not in record:
        path = record_path(clients.settings, payload)
        keep_record(clients.lake, path, {**record, **described}, version)
    container = management.find_container(*names)
    if container is None:
        management.create_database(
            payload["database"], described.get("shared") or payload["throughput"].get("database")
        )
        management.create_container(
            *names,
            partition_key_paths=described["partition_key_paths"],
            default_ttl=described["default_ttl"],
            indexing_policy=described.get("indexing_policy"),
            ru_per_second=described.get("create_ru_per_second", described["peak_ru_per_second"]),
            autoscale=described["autoscale"],
        )
        return
    refuse(payload, find_misfit(described, container))
    throughput = management.find_throughput(*names)
    if throughput and described["peak_ru_per_second"] is not None:
        change_throughput(management, *names, throughput, described["peak_ru_per_second"])


def _is_scaled(clients: Clients, payload: TableInput) -> bool:
    """Return whether the container has the load's throughput, which takes the service hours if it grows far.

    A change may still be under way although the service does not say so; to ask again is to hear if it was refused.
    """
    management, names = clients.cosmos_management, (payload["database"], payload["container"])
    throughput = management.find_throughput(*names)
    wanted = payload["described"]["peak_ru_per_second"]
    if throughput is None or wanted is None or is_scaled(payload["described"], throughput):
        return True
    if not throughput.pending:
        change_throughput(management, *names, throughput, wanted)
    return False
