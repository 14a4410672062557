"""Runs as the Jobs API returns them: with the old ``state`` and the new ``status``."""

from typing import Any

Json = dict[str, Any]

LARGEST_RESULT_BYTES = 5 * 2**20
# By termination code: the old life cycle state and result state, and the new termination type.
ENDINGS = {
    "SUCCESS": ("TERMINATED", "SUCCESS", "SUCCESS"),
    "USER_CANCELED": ("TERMINATED", "CANCELED", "CLIENT_ERROR"),
    "CANCELED": ("TERMINATED", "TIMEDOUT", "CLIENT_ERROR"),
    "RUN_EXECUTION_ERROR": ("INTERNAL_ERROR", "FAILED", "CLIENT_ERROR"),
    "RESOURCE_NOT_FOUND": ("INTERNAL_ERROR", "FAILED", "CLIENT_ERROR"),
    "LIBRARY_INSTALLATION_ERROR": ("INTERNAL_ERROR", "FAILED", "CLIENT_ERROR"),
    "INVALID_CLUSTER_REQUEST": ("INTERNAL_ERROR", "FAILED", "CLIENT_ERROR"),
    "CLUSTER_ERROR": ("INTERNAL_ERROR", "FAILED", "CLIENT_ERROR"),
    "DRIVER_ERROR": ("INTERNAL_ERROR", "FAILED", "INTERNAL_ERROR"),
    "CLOUD_FAILURE": ("INTERNAL_ERROR", "FAILED", "CLOUD_FAILURE"),
}


def run_view(run: Json, host: str, *, with_tasks: bool = True) -> Json:
    """Return a run as ``runs/get`` and ``runs/list`` return it.

    Args:
        run: as the store keeps it.
        host: the workspace's address.
        with_tasks: whether its task is included.
    """
    submission = run["submission"]
    view = {
        "job_id": run["run_id"] * 10,
        "run_id": run["run_id"],
        "number_in_job": run["run_id"],
        "run_name": submission["run_name"],
        "run_type": "SUBMIT_RUN",
        "format": "MULTI_TASK",
        "creator_user_name": "local@localhost",
        "run_page_url": f"{host}/#job/{run['run_id'] * 10}/run/{run['run_id']}",
        "has_more": False,
        **_times(run),
        **_states(run, f"Task {submission['task_key']} failed with message: "),
    }
    return view | ({"tasks": [_task_view(run)]} if with_tasks else {})


def output_view(run: Json) -> Json:
    """Return what a run's task left, as ``runs/get-output`` returns it."""
    view: Json = {"metadata": {**_task_view(run), "run_name": run["submission"]["run_name"]}}
    if run.get("code") == "SUCCESS":
        view["notebook_output"] = _notebook_output(run["result"]) if "result" in run else {}
    return view | {name: run[name] for name in ("error", "error_trace") if name in run}


def _notebook_output(result: str) -> Json:
    whole = result.encode()
    part = whole[:LARGEST_RESULT_BYTES].decode(errors="ignore")
    return {"result": part, "truncated": len(whole) > LARGEST_RESULT_BYTES}


def task_run_id(run: Json) -> int:
    """Return the id of a run's task."""
    return int(run["run_id"]) + 1


def _task_view(run: Json) -> Json:
    submission = run["submission"]
    place = (
        {"existing_cluster_id": submission["cluster_id"]}
        if submission["cluster"] is None
        else {"new_cluster": submission["cluster"]}
    )
    view = {
        "run_id": task_run_id(run),
        "task_key": submission["task_key"],
        "notebook_task": {
            "notebook_path": submission["notebook_path"],
            "base_parameters": submission["parameters"],
            "source": "WORKSPACE",
        },
        **place,
        "libraries": submission["libraries"],
        "attempt_number": 0,
        **_times(run),
        **_states(run, ""),
    }
    return view | ({"cluster_instance": {"cluster_id": run["cluster_id"]}} if "cluster_id" in run else {})


def _times(run: Json) -> Json:
    submitted, ended = run["submitted_at_ms"], run.get("ended_at_ms", 0)
    started = run.get("started_at_ms", ended)
    return {
        "start_time": submitted,
        "end_time": ended,
        "setup_duration": max(started - submitted, 0),
        "execution_duration": max(ended - started, 0),
        "cleanup_duration": 0,
        "run_duration": max(ended - submitted, 0),
    }


def _states(run: Json, prefix: str) -> Json:
    """Return both forms of a run's state.

    Args:
        run: as the store keeps it.
        prefix: precedes the message of a failure.
    """
    state, message = run["state"], run["message"]
    if state != "TERMINATED":
        life_cycle = {
            "life_cycle_state": state,
            "state_message": message,
            "user_cancelled_or_timedout": False,
        }
        return {"state": life_cycle, "status": {"state": state}}
    life_cycle_state, result_state, kind = ENDINGS[run["code"]]
    told = f"{prefix}{message}" if result_state == "FAILED" else message
    return {
        "state": {
            "life_cycle_state": life_cycle_state,
            "result_state": result_state,
            "state_message": told,
            "user_cancelled_or_timedout": result_state in ("CANCELED", "TIMEDOUT"),
        },
        "status": {
            "state": "TERMINATED",
            "termination_details": {"code": run["code"], "type": kind, "message": told},
        },
    }
