"""Load runs that several tables share: their tables meet in a log, and whoever sees that all are there starts the run.

No table is in charge, as any of them may be slow, fail or be cancelled. Everybody sees the same members
(`d2c.load_run.groups`) and submits by the same run key, so there is one run, whoever was first and whatever broke off.

A table that is done, failed or cancelled leaves. So the others, where the run was lost and has to be had again, do not
wait for it, and the notebook does not begin with it: it reads the same log before each table. To cancel one table is
therefore nothing but to leave. What it is loading at that moment it loads to its end, which is seconds, since only
small tables share a run; to kill the run would cost the others what they have done.
"""

from collections.abc import Callable
from typing import Any, cast

from d2c.clients.azure.lake import Lake
from d2c.load_run.groups import joined, not_joined
from d2c.load_run.request import REQUEST_FILE, RequestList
from d2c.shapes import LoadGroup, LoadInput
from d2c.state.ids import run_key
from d2c.state.paths import load_folder, load_group_folder, load_group_path

REQUESTS_FILE = "requests.json"
RUN_FILE = "run.json"
MOST_NAMES = 5

Submit = Callable[[str, str, str], int]


def join(lake: Lake, payload: LoadInput) -> str:
    """Join the run of a table's group, its load request being written, and return what stands for that run."""
    _append(lake, payload, did="joined", attempt=payload["attempt"])
    return f"group:{_group(payload)['id']}:{payload['attempt']}"


def leave(lake: Lake, payload: LoadInput) -> None:
    """Let the other tables of the group go on without this one."""
    _append(lake, payload, did="left")


def is_shared(payload: LoadInput) -> bool:
    """Tell whether a table's load run is its group's."""
    return bool(payload.get("load_group")) and "revisit" not in payload


def awaited(lake: Lake, payload: LoadInput) -> list[str]:
    """Return a few of the tables that have neither joined nor left."""
    entries = lake.read_log(_log_path(payload))
    return not_joined(entries, _group(payload)["tables"], _attempt(payload))[:MOST_NAMES]


def find_run(lake: Lake, payload: LoadInput, lake_path: Callable[[str], str], submit: Submit) -> int | None:
    """Return the group's run, which is submitted if all have joined or left and nobody has done so yet, else None.

    Args:
        lake: the lake.
        payload: a table's, with the ``run`` that `join` returned.
        lake_path: makes a path within the lake one that Spark takes.
        submit: submits a run by its name, its run key and the path of what it is asked, and returns its id.
    """
    folder = _folder(payload)
    known = lake.read_json(f"{folder}/{RUN_FILE}")
    if known is None:
        group, attempt, migration = _group(payload), _attempt(payload), payload["migration"]
        members = joined(lake.read_log(_log_path(payload)), group["tables"], attempt)
        if members is None:
            return None
        folders = [load_folder(migration, table, attempt) for table in members]
        requests = RequestList(
            requests=tuple(lake_path(f"{one}/{REQUEST_FILE}") for one in folders),
            log=lake_path(_log_path(payload)),
        )
        lake.write(f"{folder}/{REQUESTS_FILE}", requests.to_json())
        # No table has a colon in its name, so none that is loaded alone has this key.
        key = run_key(migration, f"group:{group['id']}", "load", attempt)
        run = submit(f"d2c {migration} {group['id']}", key, f"{folder}/{REQUESTS_FILE}")
        known = {"run": run}
        lake.write_json(f"{folder}/{RUN_FILE}", known)
    run_id: int = known["run"]
    return run_id


def may_be_submitted(lake: Lake, payload: LoadInput) -> bool:
    """Tell whether somebody has submitted the group's run, or was about to."""
    return lake.exists(f"{_folder(payload)}/{REQUESTS_FILE}")


def _append(lake: Lake, payload: LoadInput, **entry: Any) -> None:
    lake.append(_log_path(payload), {"table": payload["table"], **entry})


def _attempt(payload: LoadInput) -> int:
    return int(str(payload["run"]).rpartition(":")[2])


def _group(payload: LoadInput) -> LoadGroup:
    return cast("LoadGroup", payload["load_group"])


def _log_path(payload: LoadInput) -> str:
    return load_group_path(payload["migration"], _group(payload)["id"])


def _folder(payload: LoadInput) -> str:
    return load_group_folder(payload["migration"], _group(payload)["id"], _attempt(payload))
