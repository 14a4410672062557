"""Stage prepare: the container is created or checked and scaled for the load; later its throughput is put back."""

from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.cosmos import connect_cosmos, has_documents
from d2c.clients.cosmos_management import Container, Throughput, connect_cosmos_management
from d2c.errors import StageError
from d2c.load_run.workers import table_mapper
from d2c.mapping import Mapper
from d2c.settings import app_settings
from d2c.throughput import AFTER_LOAD_RU, load_ru_per_second

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def describe_container(payload: dict) -> Any:
    """Look at the container before anything is changed, and refuse one that does not fit.

    The result says what it has to be, and what its throughput was: once it is scaled, nobody else remembers.
    """
    refuse_if_cancelled(payload["migration"])
    settings = app_settings()
    management = connect_cosmos_management(settings)
    source = payload["source"]
    mapper = table_mapper(source["hash_key"], source["range_key"], source["ttl_attribute"], payload["rules"])
    wanted = payload["throughput"]["load_ru_per_second"]
    if wanted == "auto":
        wanted = load_ru_per_second(payload["export"]["items"], source["size_bytes"])
    description = {
        "partition_key_paths": list(mapper.partition_key_paths),
        "default_ttl": -1 if mapper.rules.container_has_ttl else None,
        "peak_ru_per_second": wanted,
        "after_ru_per_second": payload["throughput"].get("after_load_ru_per_second", AFTER_LOAD_RU),
        "autoscale": False,
    }
    container = management.find_container(payload["database"], payload["container"])
    if container is None:
        return description
    _check_container(payload, container, mapper)
    before = management.find_throughput(payload["database"], payload["container"])
    return {**description, **_throughput_of_existing(payload, before, wanted)}


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_prepare(payload: dict) -> Any:
    """Create what is not there yet and ask for the load's throughput."""
    refuse_if_cancelled(payload["migration"])
    management = connect_cosmos_management(app_settings())
    names = payload["database"], payload["container"]
    described = payload["described"]
    if management.find_container(*names) is None:
        management.create_database(payload["database"])
        management.create_container(
            *names,
            partition_key_paths=described["partition_key_paths"],
            default_ttl=described["default_ttl"],
            ru_per_second=described["peak_ru_per_second"],
        )
        return "created"
    throughput = management.find_throughput(*names)
    if throughput and throughput.ru_per_second != described["peak_ru_per_second"]:
        management.change_throughput(*names, described["peak_ru_per_second"], autoscale=throughput.autoscale)
    return "scaled"


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_prepare(payload: dict) -> Any:
    """Look whether the container has the load's throughput; growing far takes the service hours."""
    refuse_if_cancelled(payload["migration"])
    management = connect_cosmos_management(app_settings())
    throughput = management.find_throughput(payload["database"], payload["container"])
    if throughput and throughput.pending:
        return {"state": "running", "progress": {"ru_per_second": throughput.ru_per_second}}
    return {"state": "succeeded", "result": {"peak_ru_per_second": throughput and throughput.ru_per_second}}


@blueprint.activity_trigger(input_name="payload")
@outcome
def restore_throughput(payload: dict) -> Any:
    """Put the container's throughput to what the plan wants afterwards, or to what it was; done in every outcome."""
    management = connect_cosmos_management(app_settings())
    names = payload["database"], payload["container"]
    if management.find_container(*names) is None:
        return {"after_ru_per_second": None}
    throughput = management.find_throughput(*names)
    if throughput is None:
        return {"after_ru_per_second": None}
    # The service does not let throughput fall below a hundredth of the highest it ever was.
    after = max(payload["described"]["after_ru_per_second"], throughput.minimum_ru_per_second)
    if throughput.ru_per_second != after:
        management.change_throughput(*names, after, autoscale=throughput.autoscale)
    return {"after_ru_per_second": after}


def _check_container(payload: dict[str, Any], container: Container, mapper: Mapper) -> None:
    """Refuse an existing container that documents of this table cannot be written to faithfully."""
    thing = f"Container {payload['database']}/{payload['container']}"
    if container.partition_key_paths != tuple(mapper.partition_key_paths):
        raise StageError(
            f"{thing} has the partition key {', '.join(container.partition_key_paths)} and the plan needs "
            f"{', '.join(mapper.partition_key_paths)}; a partition key cannot be changed.",
            "Name another container in the plan, or set rules.partition_key to the container's.",
            title="The container has another partition key",
        )
    if mapper.rules.container_has_ttl and container.default_ttl is None:
        raise StageError(
            f"{thing} has time to live off, and the table's items expire.",
            "Turn time to live on (no default) in the container, or set rules.ttl to off in the plan.",
        )
    if not payload["allow_existing_documents"] and has_documents(
        connect_cosmos(app_settings()), payload["database"], payload["container"]
    ):
        raise StageError(
            f"{thing} holds documents already.",
            "Empty it, name another container, or set allow_existing_documents in the plan.",
            title="The container is not empty",
        )


def _throughput_of_existing(
    payload: dict[str, Any], before: Throughput | None, wanted: int
) -> dict[str, Any]:
    """Return what an existing container is scaled to and put back to; one without own throughput is left alone."""
    if before is None:
        return {"peak_ru_per_second": None, "after_ru_per_second": None}
    peak = max(before.ru_per_second, wanted)
    return {
        "peak_ru_per_second": -(-peak // 1000) * 1000 if before.autoscale else peak,
        "after_ru_per_second": payload["throughput"].get("after_load_ru_per_second", before.ru_per_second),
        "autoscale": before.autoscale,
    }
