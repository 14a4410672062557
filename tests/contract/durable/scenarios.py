"""What may happen to orchestrations, as calls of Durable's real client with what each has to answer.

The scenarios run against the local host's Durable API (`tests.localcloud`) and against Microsoft's extension
(`tests.real`): whatever they assert was seen on the extension 3.19.0.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.durable_functions import OrchestrationRuntimeStatus

from d2c.clients.durable_client import CompleteClient
from tests.builders import an_error
from tests.contract.durable.hub import Hub, Scenario, until
from tests.contract.durable.orchestrators import job

DONE = {"value": {"state": "succeeded", "result": "done"}}
FAILED = {"error": an_error()}


async def a_running_instance_refuses_another_start_and_an_ended_one_is_replaced(hub: Hub) -> None:
    again = "An Orchestration instance with the status {} already exists."
    await hub.start("waits_for_go", "again", 1)
    await hub.wait_for_status("again", {"shown": 1})
    assert again.format("Running") in await hub.refusal(hub.client.start_new("waits_for_go", "again", 2))
    await hub.client.suspend("again", "why")
    await hub.reach("again", "Suspended")
    assert again.format("Suspended") in await hub.refusal(hub.client.start_new("waits_for_go", "again", 2))
    await hub.client.terminate("again", "enough")
    ended = await hub.end("again")
    assert (ended.runtime_status.value, ended.output, ended.custom_status) == (
        "Terminated",
        "enough",
        {"shown": 1},
    )
    await hub.start("waits_for_go", "again", 3)
    await hub.wait_for_status("again", {"shown": 3})


async def of_five_starts_at_once_all_are_accepted_and_one_is_what_runs(hub: Hub) -> None:
    starts = (hub.client.start_new("notes", "at-once", f"once {number}") for number in range(5))
    assert await asyncio.gather(*starts) == ["at-once"] * 5
    ended = await hub.end("at-once")
    assert ended.runtime_status.value == "Completed"
    assert hub.activities.of(ended.output) == ["note"]


async def an_unknown_orchestrator_is_accepted_and_fails(hub: Hub) -> None:
    await hub.start("nobody", "unknown")
    ended = await hub.end("unknown")
    cause = "The function 'nobody' doesn't exist, is disabled, or is not an orchestrator function."
    assert ended.runtime_status.value == "Failed"
    assert ended.output.startswith(f"Orchestrator function 'nobody' failed: {cause} Additional info: ")


async def what_has_ended_takes_every_order_in_silence_and_no_event(hub: Hub) -> None:
    await hub.start("notes", "over", "over")
    await hub.end("over")
    for order in (hub.client.terminate, hub.client.suspend, hub.client.resume):
        await order("over", "why")
    assert (await hub.client.get_status("over")).runtime_status.value == "Completed"
    gone = "Instance with ID over is gone: either completed or failed"
    assert await hub.refusal(hub.client.raise_event("over", "go", 1)) == gone
    assert await hub.refusal(hub.client.raise_event("none", "go", 1)) == "No instance with ID none found."
    assert await hub.refusal(hub.client.terminate("none", "why")) == "No instance with ID 'none' found."
    assert not await hub.client.get_status("none")


async def failures_are_told_with_the_extensions_texts(hub: Hub) -> None:
    broken = "Activity function 'fail' failed:  RuntimeError: line one\nline two"
    details = ' \n {"$type":"System.Exception'
    await hub.start("breaks", "breaks")
    output = (await hub.end("breaks")).output.replace('": "', '":"')
    assert output.startswith(f"Orchestrator function 'breaks' failed: {broken}{details}")
    await hub.start("raises", "raises")
    assert (await hub.end("raises")).output == "Orchestrator function 'raises' failed: inner\nsecond"
    await hub.start("has_child", "told", ["raises", "told-child"])
    told = (
        "raised: Orchestrator function 'raises' failed: inner\nsecond \n Message: inner\nsecond, StackTrace: "
    )
    assert (await hub.end("told")).output.startswith(told)
    await hub.start("has_child", "stopped", ["waits_for_go", "stopped-child"])
    await hub.wait_for_status("stopped-child", {"shown": "stopped-child"})
    await hub.client.terminate("stopped-child", "stop it")
    assert (await hub.end("stopped")).output == "raised: stop it \n None"


async def a_custom_status_over_16_kb_of_utf_16_fails_the_orchestration(hub: Hub) -> None:
    await hub.start("talks_too_much", "talks-enough", 8600)
    assert (await hub.end("talks-enough")).runtime_status.value == "Completed"
    await hub.start("talks_too_much", "talks", 8800)
    ended = await hub.end("talks")
    text = "The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload size is 17 KB."
    assert ended.output == f"Orchestrator function 'talks_too_much' failed: {text}"
    assert (ended.runtime_status.value, ended.custom_status) == ("Failed", None)


async def children_live_on_whatever_becomes_of_their_parent(hub: Hub) -> None:
    await hub.start("has_child", "parent", ["waits_for_go", "orphan"])
    await hub.wait_for_status("orphan", {"shown": "orphan"})
    assert "412" in await hub.refusal(hub.client.purge_instance_history("parent"))
    await hub.client.suspend("parent", "why")
    await hub.reach("parent", "Suspended")
    await hub.client.terminate("parent", "why")
    await hub.end("parent")
    assert (await hub.client.purge_instance_history("parent")).instances_deleted == 1
    assert (await hub.client.get_status("orphan")).runtime_status.value == "Running"
    await hub.client.raise_event("orphan", "go", 5)
    assert (await hub.end("orphan")).output == "5"


async def a_child_replaces_a_running_instance_of_its_id_in_silence(hub: Hub) -> None:
    await hub.start("waits_for_go", "taken", "old")
    await hub.wait_for_status("taken", {"shown": "old"})
    await hub.start("has_child", "taker", ["waits_for_go", "taken"])
    await hub.wait_for_status("taken", {"shown": "taken"})
    await hub.client.raise_event("taken", "go", 7)
    assert (await hub.end("taker")).output == "7"


async def a_query_tells_a_hundred_instances_and_the_products_client_all(hub: Hub) -> None:
    names = [f"page:{number:03}" for number in range(250)]
    await asyncio.gather(*(hub.client.start_new("waits_for_go", name, name) for name in names))
    running = [OrchestrationRuntimeStatus.Running]
    client = CompleteClient(hub.client)

    async def all_of_them() -> list[Any]:
        found = await client.get_status_by(runtime_status=running, instance_id_prefix="page:")
        return list(found) if len(found) == len(names) else []

    found = await until(all_of_them)
    assert [status.instance_id for status in found] == names
    assert {status.input_ for status in found} == {None}
    page = await hub.client.get_status_by(runtime_status=running, instance_id_prefix="page:")
    assert [status.instance_id for status in page] == names[:100]
    assert len(await hub.client.get_status_all()) == 100


async def a_purge_by_state_takes_what_runs(hub: Hub) -> None:
    await hub.start("waits_for_go", "purged", 1)
    await hub.wait_for_status("purged", {"shown": 1})
    long_ago = datetime.now(UTC) - timedelta(days=1)
    running = [OrchestrationRuntimeStatus.Running]
    assert (await hub.client.purge_instance_history_by(long_ago, None, running)).instances_deleted >= 1
    assert not await hub.client.get_status("purged")


async def a_new_history_has_a_new_creation_and_soon_no_custom_status(hub: Hub) -> None:
    first, second = (
        hub.activities.gate("note", "first history"),
        hub.activities.gate("note", "second history"),
    )
    await hub.start("shows_once", "shows", "first")
    before = await hub.wait_for_status("shows", {"of": "first"})
    # Times have whole seconds, so the second history begins in a later one.
    await until(lambda: _is_after(before.created_time + timedelta(seconds=1)))
    first.set()
    await hub.called("note", "second history", 1)
    between = await hub.wait_for_status("shows", {"of": "first"})
    assert between.created_time > before.created_time
    second.set()
    assert (await hub.wait_for_status("shows", None)).runtime_status.value == "Running"


async def _is_after(moment: datetime) -> bool:
    return datetime.now(UTC) > moment


async def a_wake_is_followed_by_a_look_whenever_it_comes(hub: Hub) -> None:
    looks = hub.activities.gate("look_at_job", "woken")
    await hub.start("run_to_its_end", "woken", job("woken"))
    await hub.called("look_at_job", "woken", 1)
    await hub.client.raise_event("woken", "wake", None)
    looks.set()
    await hub.called("look_at_job", "woken", 2)
    await hub.client.raise_event("woken", "wake", None)
    await hub.called("look_at_job", "woken", 3)
    for _ in range(4):
        await hub.client.raise_event("woken", "wake", None)
    hub.activities.answers["woken"] = DONE
    await hub.client.raise_event("woken", "wake", None)
    assert (await hub.end("woken")).output == {"value": "done"}
    assert hub.activities.of("woken").count("start_job") == 1
    assert "is gone" in await hub.refusal(hub.client.raise_event("woken", "wake", None))


async def a_pause_keeps_wakes_until_it_ends(hub: Hub) -> None:
    await hub.start("run_to_its_end", "paused", job("paused"))
    await hub.wait_for_status("paused", {"looked": True})
    await hub.client.suspend("paused", "why")
    await hub.reach("paused", "Suspended")
    hub.activities.answers["paused"] = DONE
    await hub.client.raise_event("paused", "wake", None)
    assert hub.activities.of("paused") == ["start_job", "look_at_job"]
    await hub.client.resume("paused", "why")
    assert (await hub.end("paused")).output == {"value": "done"}
    assert hub.activities.of("paused") == ["start_job", "look_at_job", "look_at_job"]


async def what_was_cancelled_or_has_failed_begins_anew(hub: Hub) -> None:
    await hub.start("run_to_its_end", "retried", job("retried"))
    await hub.wait_for_status("retried", {"looked": True})
    await hub.client.terminate("retried", "cancelled")
    await hub.end("retried")
    hub.activities.answers["retried"] = FAILED
    await hub.start("run_to_its_end", "retried", job("retried"))
    assert (await hub.end("retried")).output == FAILED
    hub.activities.answers["retried"] = DONE
    await hub.start("run_to_its_end", "retried", job("retried"))
    assert (await hub.end("retried")).output == {"value": "done"}
    assert hub.activities.of("retried") == ["start_job", "look_at_job"] * 3


SCENARIOS: tuple[Scenario, ...] = (
    a_running_instance_refuses_another_start_and_an_ended_one_is_replaced,
    of_five_starts_at_once_all_are_accepted_and_one_is_what_runs,
    an_unknown_orchestrator_is_accepted_and_fails,
    what_has_ended_takes_every_order_in_silence_and_no_event,
    failures_are_told_with_the_extensions_texts,
    a_custom_status_over_16_kb_of_utf_16_fails_the_orchestration,
    children_live_on_whatever_becomes_of_their_parent,
    a_child_replaces_a_running_instance_of_its_id_in_silence,
    a_query_tells_a_hundred_instances_and_the_products_client_all,
    a_purge_by_state_takes_what_runs,
    a_new_history_has_a_new_creation_and_soon_no_custom_status,
    a_wake_is_followed_by_a_look_whenever_it_comes,
    a_pause_keeps_wakes_until_it_ends,
    what_was_cancelled_or_has_failed_begins_anew,
)
