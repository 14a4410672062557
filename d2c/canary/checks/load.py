"""What Databricks and Cosmos DB did with the load."""

import math
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson

from d2c.canary.checks.documents import expected_documents
from d2c.canary.findings import Found, UntriedError, judged
from d2c.canary.names import KEYS, VALUES
from d2c.canary.samples import METHODS, NUMBERS, SAMPLES
from d2c.canary.scene import Scene
from d2c.load_run.progress import PROGRESS_FILE
from d2c.load_run.throughput.request_units import write_ru
from d2c.load_run.told.progress import PROGRESS_BYTES, parse_progress
from d2c.mapping import indexing
from d2c.report.estimate import FACTOR_BY_WORD
from d2c.state.ids import operation_name
from d2c.state.paths import MigrationFiles

FIRST_RUN = operation_name("start", 0)
STAGES_OF_A_RUN = ("assess", "load", "verify")
STORAGE_CONF = "fs.azure."
PROBE = "d2c-canary-probe"
PROBE_BYTES = 1000
PAGE = 100


def load_run_visible(scene: Scene) -> Found:
    """Look whether the operator sees the load run in Databricks."""
    scene.reported()
    found = scene.deployment.workspace.load_runs(scene.names.run)
    viewers = scene.settings.load_runs.viewers
    group = f"D2C_LOAD_RUN_VIEWERS names {viewers}." if viewers else "D2C_LOAD_RUN_VIEWERS is not set."
    return judged(bool(found), f"This sign-in sees {len(found)} load runs of the migration. {group}")


def progress_from_threads(scene: Scene) -> Found:
    """Look whether the load run wrote its progress of each table, which a thread of the notebook does."""
    for table in scene.tables:
        scene.succeeded(table)
    missing = [
        path
        for path in (_progress_path(scene, table) for table in scene.tables)
        if parse_progress(scene.deployment.lake.read(path, PROGRESS_BYTES)) is None
    ]
    return judged(
        not missing, f"Without stages: {', '.join(missing)}" if missing else "Each table has its stages."
    )


def _progress_path(scene: Scene, table: str) -> str:
    return f"{MigrationFiles(scene.names.run).table(table).load_folder(FIRST_RUN, 1)}/{PROGRESS_FILE}"


def tables_side_by_side(scene: Scene) -> Found:
    """Look whether two tables were loaded at the same time."""
    if len(scene.tables) < 2:
        raise UntriedError("Only one table was moved.")
    spans = sorted(_span(scene.succeeded(table)) for table in scene.tables)
    if max(_tables_of_load_runs(scene), default=0) < 2:
        raise UntriedError("Each table had a load run of its own: their exports ended too far apart.")
    overlaps = [(earlier[1] - later[0]).total_seconds() for earlier, later in pairwise(spans)]
    shown = ", ".join(f"{seconds:.1f}" for seconds in overlaps)
    return judged(min(overlaps) > 0, f"Seconds for which a table and the next overlapped: {shown}.")


def _tables_of_load_runs(scene: Scene) -> list[int]:
    """Return how many tables each load run of the migration was to load."""
    lake, folder = scene.deployment.lake, f"{MigrationFiles(scene.names.run).work(0).folder}/units/"
    lists = [path for path in lake.page(folder, PAGE, None)[0] if path.endswith(".json")]
    return [len((lake.read_json(path) or {}).get("requests", ())) for path in lists]


def _span(part: dict[str, Any]) -> tuple[datetime, datetime]:
    """Return when a table's stages on the cluster began and ended."""
    stages = [stage for stage in part["stages"] if stage["stage"] in STAGES_OF_A_RUN]
    began = [datetime.fromisoformat(stage["started_at"]) for stage in stages]
    ended = [at + timedelta(seconds=stage["seconds"]) for at, stage in zip(began, stages, strict=True)]
    return min(began), max(ended)


def storage_by_cluster(scene: Scene) -> Found:
    """Look whether a cluster that signs in to the lake by its configuration read and wrote it."""
    names = [name for name in scene.settings.cluster.get("spark_conf") or () if STORAGE_CONF in name]
    if not names:
        raise UntriedError("D2C_CLUSTER has no fs.azure settings.")
    scene.succeeded(scene.tables[0])
    return judged(True, f"The load run read and wrote the lake with {len(names)} fs.azure settings.")


def verified_right_after(scene: Scene) -> Found:
    """Look whether the verification right after the load found every document."""
    return _verified(scene, VALUES)


def counted_by_index(scene: Scene) -> Found:
    """Look whether the query that counts documents was answered, and how long it took."""
    return _verified(scene, KEYS)


def _verified(scene: Scene, kind: str) -> Found:
    part = scene.succeeded(scene.own_table(kind))
    found = part["verification"]
    seconds = sum(stage["seconds"] for stage in part["stages"] if stage["stage"] == "verify")
    is_same = found["expected"] == found["actual"] and not any(
        found[name] for name in ("missing", "unexpected", "different")
    )
    return judged(
        is_same and found["method"] == METHODS[kind],
        f"By {found['method']}: {found['actual']} of {found['expected']} documents, in {seconds:.1f} seconds.",
    )


def request_units(scene: Scene) -> Found:
    """Write one document more, and hold what it was charged against what the estimate counts for it."""
    scene.succeeded(scene.own_table(VALUES))
    (document,) = expected_documents(VALUES, SAMPLES[VALUES][NUMBERS])
    probe = {**document, "id": PROBE, "filling": ""}
    probe["filling"] = "x" * (PROBE_BYTES - len(orjson.dumps(probe)))
    charged = scene.deployment.cosmos.write_charge(scene.names.run, VALUES, probe)
    estimated = math.ceil(write_ru(PROBE_BYTES) * FACTOR_BY_WORD[indexing.KEYS])
    return judged(charged <= estimated, f"1 KB was charged {charged:g} RU; the estimate counts {estimated}.")
