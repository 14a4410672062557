"""Simulate migrations of many tables with Azure's times, and tell their duration beside one that nobody stays below.

Run it as ``python -m benchmarks.pipeline [--only WORDS ...] [--json]``. The product's own orchestrators run through the
real Durable SDK on a clock that jumps (`benchmarks.virtual_pipeline`); only the outside systems are times. With
``--replays`` each history is replayed at every turn, as a host does: the same figures, in three times as long.
"""

import argparse
import json
import logging
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from benchmarks.virtual_pipeline import Case, Simulation
from benchmarks.virtual_services import Times
from d2c.shapes import Caps

EXPORT, COPY, CLUSTER, LOAD = 480.0, 120.0, 300.0, 30.0
LARGE_TABLE, LARGE_EXPORT, LARGE_COPY, LARGE_LOAD = "TheLargeOne", 5 * 3600.0, 10 * 3600.0, 10 * 3600.0
SIGMA, SEEDS = 0.35, 5
HOUR = 3600.0
HEAD = (
    f"{'scenario':24}{'seconds':>9}{'B':>8}{'ratio':>7}{'wanted':>8}{'turns a table':>15}"
    f"{'longest history':>17}{'own history':>13}{'idle looks':>12}{'load runs':>11}{'most starts':>13}"
)
FIXED = Times(lambda table: EXPORT, lambda table: COPY, lambda table: LOAD, lambda run: CLUSTER)


class Scenario(NamedTuple):
    """A case, and the largest ratio of its duration to the bound that is wanted; None if it is only told."""

    name: str
    case: Case
    wanted: float | None = None


@dataclass(frozen=True)
class Figures:
    """What a simulation came to."""

    scenario: str
    tables: int
    seconds: float
    bound: float  # nobody is faster
    ratio: float
    wanted: float | None
    small_seconds: float | None  # until the last small table ended, where a large one is among them
    turns_per_table: float
    longest_history: int  # bytes, of a lane or of what a lane runs
    own_history: int  # bytes, of the migration's own orchestration
    idle_looks: int
    load_runs: int
    most_starts: int  # of one table's export or copy, or loads of one table; 1: nothing was started twice
    real_seconds: float


def main() -> None:
    """Print a table with a line for each scenario, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""], help="words that a scenario's name has one of")
    parser.add_argument("--replays", action="store_true", help="replay each history at every turn")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    results = []
    if not options.json:
        print(HEAD)
    for scenario in scenarios():
        if any(word in scenario.name for word in options.only):
            results.append(measure(scenario, replays=options.replays))
            if not options.json:
                print_row(results[-1])
    if options.json:
        print(json.dumps({"results": [asdict(result) for result in results]}, indent=1))


def scenarios() -> list[Scenario]:
    """Return all scenarios, the small ones first."""
    drawn = [
        Scenario(f"{count} drawn, seed {seed}", Case(names(count), drawn_times(seed)), 1.25)
        for count in (500, 1000)
        for seed in range(SEEDS)
    ]
    large = Case([LARGE_TABLE, *names(500)], with_large(FIXED), large=frozenset({LARGE_TABLE}))
    refused = {names(500)[0]: HOUR}
    return [
        *(Scenario(f"{count} tables", Case(names(count), FIXED)) for count in (1, 20, 130)),
        *(Scenario(f"{count} tables", Case(names(count), FIXED), 1.15) for count in (500, 1000)),
        Scenario("500 and a large one", large, 1.05),
        Scenario("500, an export refused", Case(names(500), FIXED, export_refused_until=refused)),
        Scenario("500, clusters lost", Case(names(500), FIXED, is_lost_cluster=lambda run: run % 10 == 0)),
        Scenario("500, a pause", Case(names(500), FIXED, pause=(HOUR / 2, HOUR * 3 / 2))),
        *drawn,
    ]


def names(count: int) -> list[str]:
    """Return the names of so many tables."""
    return [f"Table{number:04d}" for number in range(count)]


def drawn_times(seed: int) -> Times:
    """Return times of which each is drawn by itself, around those that are else the same for all."""

    def draw(kind: str, mean: float) -> Callable[[object], float]:
        def of(thing: object) -> float:
            chance = random.Random(f"{seed} {kind} {thing}")  # noqa: S311 - a simulation
            return mean * chance.lognormvariate(-SIGMA * SIGMA / 2, SIGMA)

        return of

    return Times(draw("export", EXPORT), draw("copy", COPY), draw("load", LOAD), draw("cluster", CLUSTER))


def with_large(times: Times) -> Times:
    """Return times with those of the large table."""

    def or_large(of: Callable[[str], float], seconds: float) -> Callable[[str], float]:
        return lambda table: seconds if table == LARGE_TABLE else of(table)

    return Times(
        or_large(times.export, LARGE_EXPORT),
        or_large(times.copy, LARGE_COPY),
        or_large(times.load, LARGE_LOAD),
        times.cluster,
    )


def bound(tables: Sequence[str], times: Times, caps: Caps, large: frozenset[str] = frozenset()) -> float:
    """Return the seconds that no order of the work can stay below, if no cluster starts before its tables are there.

    Args:
        tables: their names.
        times: of the outside systems.
        caps: the limits.
        large: the tables that have a load run of their own.
    """
    exports, copies, loads = (
        [of(table) for table in tables] for of in (times.export, times.copy, times.load)
    )
    runs = math.ceil(len(set(tables) - large) / caps["tables_per_load_run"]) + len(large)
    clusters = [times.cluster(run) for run in range(runs)]
    both = [export + copy for export, copy in zip(exports, copies, strict=True)]
    last = min(clusters) + min(loads)
    return max(
        sum(exports) / caps["export"] + min(copies) + last,
        min(exports) + sum(copies) / caps["copy"] + last,
        min(both) + (sum(clusters) + sum(loads)) / caps["load"],
        max(way + min(clusters) + load for way, load in zip(both, loads, strict=True)),
    )


def measure(scenario: Scenario, *, replays: bool = False) -> Figures:
    """Simulate a scenario."""
    case = scenario.case
    began = time.monotonic()
    simulation = Simulation(case, replays=replays)
    result = simulation.run()
    if result["tables"] != {"succeeded": len(case.names)}:
        raise RuntimeError(f"{scenario.name} ended with {result}")
    least = bound(case.names, case.times, case.caps, case.large)
    seconds = max(simulation.ended.values())
    small = [end for table, end in simulation.ended.items() if table not in case.large]
    starts = (
        simulation.exports.most_starts(),
        simulation.copies.most_starts(),
        max(simulation.databricks.loaded.values()),
    )
    largest: Mapping[str, int] = simulation.host.largest
    return Figures(
        scenario=scenario.name,
        tables=len(case.names),
        seconds=seconds,
        bound=least,
        ratio=seconds / least,
        wanted=scenario.wanted,
        small_seconds=max(small) if case.large else None,
        turns_per_table=simulation.host.turns / len(case.names),
        longest_history=max(size for name, size in largest.items() if name != "run_operation"),
        own_history=largest["run_operation"],
        idle_looks=simulation.idle_looks,
        load_runs=len(simulation.databricks.tables),
        most_starts=max(starts),
        real_seconds=time.monotonic() - began,
    )


def print_row(row: Figures) -> None:
    """Print the figures of a scenario."""
    wanted = "" if row.wanted is None else f"{row.wanted:.2f}"
    print(
        f"{row.scenario:24}{row.seconds:9,.0f}{row.bound:8,.0f}{row.ratio:7.2f}{wanted:>8}"
        f"{row.turns_per_table:15.0f}{row.longest_history:17,}{row.own_history:13,}{row.idle_looks:12,}"
        f"{row.load_runs:11}{row.most_starts:13}",
        flush=True,
    )
    if row.small_seconds is not None:
        print(f"{'  its small tables':24}{row.small_seconds:9,.0f}", flush=True)


if __name__ == "__main__":
    main()
