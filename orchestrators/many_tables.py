"""Many tables, a few at a time."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import azure.durable_functions as df

from orchestrators.waiting import Json, Step

Container = tuple[str, str]


def run_tables(context: df.DurableOrchestrationContext, plan: Json, start: Callable[[Json], Any]) -> Step:
    """Run an orchestration for every table, at most so many at once; the result is a list of how each ended.

    A table that fails does not stop the others. The custom status tells how many there are in each state.

    Args:
        context: the orchestration's.
        plan: has ``tables`` and ``max_parallel_tables``.
        start: starts a table's orchestration, whose output has its ``state``, and returns the task.
    """
    waiting = list(plan["tables"])
    running: list[tuple[Any, Container]] = []
    results: list[Json] = []
    while waiting or running:
        while len(running) < plan["max_parallel_tables"] and (table := _take_next(waiting, running)):
            running.append((start(table), _container_of(table)))
        states = Counter(pending=len(waiting), running=len(running)) + Counter(states_of(results))
        context.set_custom_status(dict(states))
        ended = yield context.task_any([task for task, _ in running])
        running = [entry for entry in running if entry[0] != ended]
        results.append(_result_of(ended))
    return results


def states_of(results: Sequence[Json]) -> dict[str, int]:
    """Return how many tables ended in each state."""
    return dict(Counter(result["state"] for result in results))


def state_of_all(results: Sequence[Json]) -> str:
    """Return how the whole ended."""
    states = states_of(results)
    return next((state for state in ("failed", "cancelled") if state in states), "succeeded")


def _take_next(waiting: list[Json], running: list[tuple[Any, Container]]) -> Json | None:
    """Take the first table whose container no running table loads, or None.

    Tables that share a container take turns: each scales it for its load and puts its throughput back.
    """
    busy = {container for _, container in running}
    for place, table in enumerate(waiting):
        if _container_of(table) not in busy:
            return waiting.pop(place)
    return None


def _container_of(table: Json) -> Container:
    return table["database"], table["container"]


def _result_of(ended: Any) -> Json:
    """Return a table's result; an orchestration that raised, which only a defect makes it do, has failed."""
    return ended.result if isinstance(ended.result, dict) else {"state": "failed", "error": None}
