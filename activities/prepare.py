"""Stage prepare: the container is created or checked and scaled for the load; later its throughput is put back."""

from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.app.settings import app_settings
from d2c.clients.azure.cosmos import connect_cosmos, has_documents
from d2c.clients.azure.cosmos_management import (
    Container,
    CosmosManagement,
    Throughput,
    connect_cosmos_management,
)
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.errors import PermanentError, RefusedError
from d2c.load_run.mappers import table_mapper
from d2c.load_run.throughput import AFTER_LOAD_RU, load_ru_per_second
from d2c.mapping import Mapper
from d2c.mapping.container import find_misfit, marks_of, wanted_container
from d2c.state.container_lock import (
    Record,
    is_held_by_another,
    keep_record,
    record_path,
    release_container,
    take_container,
)

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def describe_container(payload: dict) -> Any:
    """Take the container for the table, look at it before anything is changed, and refuse one that does not fit.

    The result says what it has to be, and what its throughput was: once it is scaled, only the record remembers.
    """
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    settings = app_settings()
    lake, path = connect_lake(settings), record_path(settings, payload)
    record, version = take_container(lake, path, payload)
    try:
        description = _describe(connect_cosmos_management(settings), payload, record)
    except (PermanentError, RefusedError):
        if "peak_ru_per_second" not in record:
            release_container(lake, path, payload)
        raise
    keep_record(lake, path, {**record, **description}, version)
    return description


def _describe(management: CosmosManagement, payload: dict[str, Any], record: Record) -> dict[str, Any]:
    """Return what the container has to be, by what was found when it was first taken if the record tells."""
    source = payload["source"]
    mapper = table_mapper(source["hash_key"], source["range_key"], source["ttl_attribute"], payload["rules"])
    wanted = payload["throughput"]["load_ru_per_second"]
    if wanted == "auto":
        wanted = load_ru_per_second(payload["export"]["items"], source["size_bytes"])
    description = {
        "created": True,
        **wanted_container(mapper),
        "before_ru_per_second": None,
        "peak_ru_per_second": wanted,
        "after_ru_per_second": payload["throughput"].get("after_load_ru_per_second", AFTER_LOAD_RU),
        "autoscale": False,
    }
    container = management.find_container(payload["database"], payload["container"])
    if container is None:
        return description
    _check_fits(payload, description, container)
    _check_empty(payload, mapper)
    if record.get("created"):
        return description
    throughput = management.find_throughput(payload["database"], payload["container"])
    now = throughput.ru_per_second if throughput else None
    before = record.get("before_ru_per_second", now) or now
    return {**description, **_throughput_of_existing(payload, throughput, before, wanted)}


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_prepare(payload: dict) -> Any:
    """Create what is not there yet and ask for the load's throughput.

    A container may be there that was not when it was looked at: from an earlier try of this, or somebody else's.
    """
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    settings = app_settings()
    management = connect_cosmos_management(settings)
    names = payload["database"], payload["container"]
    described = payload["described"]
    _hold(connect_lake(settings), record_path(settings, payload), payload)
    container = management.find_container(*names)
    if container is None:
        management.create_database(payload["database"])
        management.create_container(
            *names,
            partition_key_paths=described["partition_key_paths"],
            default_ttl=described["default_ttl"],
            ru_per_second=described["peak_ru_per_second"],
        )
        return "created"
    _check_fits(payload, described, container)
    throughput = management.find_throughput(*names)
    if throughput and described["peak_ru_per_second"] is not None:
        _change_if_other(management, payload, throughput, described["peak_ru_per_second"])
    return "scaled"


def _hold(lake: Lake, path: str, payload: dict[str, Any]) -> None:
    """Take the container again where the record is gone, as before a retry of what an earlier round described."""
    record, version = take_container(lake, path, payload)
    if "peak_ru_per_second" not in record:
        keep_record(lake, path, {**record, **payload["described"]}, version)


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_prepare(payload: dict) -> Any:
    """Look whether the container has the load's throughput, which takes the service hours if it grows far.

    A change may still be under way although the service does not say so; to ask again is to hear if it was refused.
    """
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    management = connect_cosmos_management(app_settings())
    throughput = management.find_throughput(payload["database"], payload["container"])
    wanted = payload["described"]["peak_ru_per_second"]
    if throughput is None or wanted is None:
        return {"state": "succeeded", "result": {"peak_ru_per_second": None}}
    if not throughput.pending and throughput.ru_per_second >= wanted:
        return {"state": "succeeded", "result": {"peak_ru_per_second": throughput.ru_per_second}}
    if not throughput.pending:
        _change_if_other(management, payload, throughput, wanted)
    progress = {"ru_per_second": throughput.ru_per_second, "wanted_ru_per_second": wanted}
    return {"state": "running", "progress": progress}


@blueprint.activity_trigger(input_name="payload")
@outcome
def restore_throughput(payload: dict) -> Any:
    """Put the container's throughput to what the plan wants afterwards, or to what it was; done in every outcome.

    Then others may load the container.
    """
    settings = app_settings()
    lake, path = connect_lake(settings), record_path(settings, payload)
    if is_held_by_another(lake, path, payload):
        return {"after_ru_per_second": None}
    after = put_back(connect_cosmos_management(settings), payload, payload["described"])
    release_container(lake, path, payload)
    return {"after_ru_per_second": after}


def put_back(management: CosmosManagement, names: dict[str, Any], described: dict[str, Any]) -> int | None:
    """Put a container's throughput back; the result is what it is then, or None if there is none to put back.

    Args:
        management: the account's.
        names: the container's ``database`` and ``container``.
        described: what `describe_container` found; a container that is not like that is not the one that was scaled.
    """
    container = management.find_container(names["database"], names["container"])
    wanted = described["after_ru_per_second"]
    if wanted is None or container is None or find_misfit(described, container):
        return None
    throughput = management.find_throughput(names["database"], names["container"])
    return _change_if_other(management, names, throughput, wanted) if throughput else None


def _change_if_other(
    management: CosmosManagement, payload: dict[str, Any], throughput: Throughput, wanted: int
) -> int:
    """Ask for a throughput unless the container has it; return it as the service takes it.

    The service takes steps, and does not let throughput fall below a hundredth of the highest it ever was.
    """
    ru_per_second = _in_steps(max(wanted, throughput.minimum_ru_per_second), throughput.autoscale)
    if throughput.ru_per_second != ru_per_second:
        names = payload["database"], payload["container"]
        management.change_throughput(*names, ru_per_second, autoscale=throughput.autoscale)
    return ru_per_second


def _in_steps(ru_per_second: int, autoscale: bool) -> int:
    step = 1000 if autoscale else 100
    return -(-ru_per_second // step) * step


def _check_fits(payload: dict[str, Any], description: dict[str, Any], container: Container) -> None:
    """Refuse a container that documents of this table cannot be written to faithfully."""
    misfit = find_misfit(description, container)
    if misfit:
        thing = f"Container {payload['database']}/{payload['container']}"
        raise PermanentError(f"{thing} has {misfit.cause}", misfit.next_step, misfit.title)


def _check_empty(payload: dict[str, Any], mapper: Mapper) -> None:
    """Refuse a container with documents in it, unless the plan allows them.

    In a container that tables share, only documents that could be this table's count.
    """
    names = payload["database"], payload["container"]
    if payload["allow_existing_documents"]:
        return
    marks = marks_of(mapper)
    if has_documents(connect_cosmos(app_settings()), *names, marks):
        which = f" with {', '.join(f'{name} = {value!r}' for name, value in marks.items())}" if marks else ""
        raise PermanentError(
            f"Container {'/'.join(names)} holds documents{which} already.",
            "Empty it, name another container, or set allow_existing_documents in the plan.",
            title="The container is not empty",
        )


def _throughput_of_existing(
    payload: dict[str, Any], throughput: Throughput | None, before: int | None, wanted: int
) -> dict[str, Any]:
    """Return what an existing container is scaled to and put back to; one without own throughput is left alone."""
    if throughput is None or before is None:
        return {"created": False, "peak_ru_per_second": None, "after_ru_per_second": None}
    return {
        "created": False,
        "before_ru_per_second": before,
        "peak_ru_per_second": _in_steps(max(before, wanted), throughput.autoscale),
        "after_ru_per_second": payload["throughput"].get("after_load_ru_per_second", before),
        "autoscale": throughput.autoscale,
    }
