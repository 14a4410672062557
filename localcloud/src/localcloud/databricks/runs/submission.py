"""What ``runs/submit`` is asked for: one task with a notebook, checked field by field.

Databricks takes much more. What is not carried out here is refused by name, so that nothing runs otherwise than asked.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from localcloud.databricks.errors import ApiError, invalid

LONGEST_TOKEN = 64
LARGEST_PARAMETERS_BYTES = 2**20

Json = dict[str, Any]

RUN_FIELDS: Mapping[str, type] = {
    "tasks": list,
    "run_name": str,
    "idempotency_token": str,
    "timeout_seconds": int,
    "queue": dict,
    "access_control_list": list,
}
QUEUE_FIELDS: Mapping[str, type] = {"enabled": bool}
ACCESS_FIELDS: Mapping[str, type] = {"group_name": str, "permission_level": str}
# The groups that every workspace has.
GROUPS = ("admins", "users")
# https://learn.microsoft.com/azure/databricks/security/auth/access-control/#jobs
PERMISSION_LEVELS = ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE")
TASK_FIELDS: Mapping[str, type] = {
    "task_key": str,
    "notebook_task": dict,
    "new_cluster": dict,
    "existing_cluster_id": str,
    "libraries": list,
    "timeout_seconds": int,
}
NOTEBOOK_FIELDS: Mapping[str, type] = {"notebook_path": str, "base_parameters": dict, "source": str}
# Of these only version, access mode and Spark settings make a difference on one machine.
CLUSTER_FIELDS: Mapping[str, type] = {
    "spark_version": str,
    "data_security_mode": str,
    "spark_conf": dict,
    "node_type_id": str,
    "driver_node_type_id": str,
    "num_workers": int,
    "autoscale": dict,
    "single_user_name": str,
    "azure_attributes": dict,
    "custom_tags": dict,
    "policy_id": str,
    "apply_policy_default_values": bool,
    "instance_pool_id": str,
    "driver_instance_pool_id": str,
    "runtime_engine": str,
}
LIBRARY_FIELDS: Mapping[str, type] = {"maven": dict, "whl": str}
MAVEN_FIELDS: Mapping[str, type] = {"coordinates": str}


@dataclass(frozen=True)
class Submission:
    """A checked request; ``cluster`` is the new cluster's specification, or None with an existing one's id.

    ``viewers`` are the groups whose members may see the run, beside its owner and admins.
    """

    run_name: str
    token: str | None
    task_key: str
    notebook_path: str
    parameters: dict[str, str]
    cluster: Json | None
    cluster_id: str | None
    libraries: list[Json]
    timeout_seconds: int
    viewers: list[str] = field(default_factory=list)

    def to_dict(self) -> Json:
        """Return it as JSON."""
        return asdict(self)


def parse_submission(body: Any) -> Submission:
    """Check the body of ``runs/submit``.

    Raises:
        ApiError: 400, naming the field.
    """
    request = _fields(body, "The request", RUN_FIELDS)
    tasks = request.get("tasks") or []
    if len(tasks) != 1:
        raise invalid(f"One task is supported here; the request has {len(tasks)}.")
    token = request.get("idempotency_token")
    if token is not None and len(token) > LONGEST_TOKEN:
        raise invalid(f"idempotency_token has {len(token)} characters; at most {LONGEST_TOKEN} are allowed.")
    task = _fields(tasks[0], "tasks[0]", TASK_FIELDS, required=("task_key", "notebook_task"))
    if ("new_cluster" in task) == ("existing_cluster_id" in task):
        raise invalid(
            f"Task {task['task_key']} needs either new_cluster or existing_cluster_id; "
            "serverless is not supported here."
        )
    notebook_path, parameters = _notebook(task["notebook_task"])
    timeouts = [request.get("timeout_seconds", 0), task.get("timeout_seconds", 0)]
    if min(timeouts) < 0:
        raise invalid("timeout_seconds must not be negative.")
    _fields(request.get("queue", {}), "queue", QUEUE_FIELDS)
    return Submission(
        run_name=request.get("run_name") or "Untitled",
        token=token or None,
        task_key=task["task_key"],
        notebook_path=notebook_path,
        parameters=parameters,
        cluster=_cluster(task["new_cluster"]) if "new_cluster" in task else None,
        cluster_id=task.get("existing_cluster_id"),
        libraries=[
            _library(entry, f"libraries[{place}]") for place, entry in enumerate(task.get("libraries", []))
        ],
        timeout_seconds=min((seconds for seconds in timeouts if seconds), default=0),
        viewers=[_viewers(entry) for entry in request.get("access_control_list", [])],
    )


def _viewers(entry: Any) -> str:
    """Return the group of an entry of the access control list; all levels that there are include seeing the run."""
    access = _fields(entry, "access_control_list", ACCESS_FIELDS, required=tuple(ACCESS_FIELDS))
    if access["permission_level"] not in PERMISSION_LEVELS:
        raise invalid(f"permission_level {access['permission_level']} is not one of a run.")
    if access["group_name"] not in GROUPS:
        raise ApiError(
            400, "INVALID_PARAMETER_VALUE", f"Principal: GroupName({access['group_name']}) does not exist"
        )
    return str(access["group_name"])


def _notebook(value: Any) -> tuple[str, dict[str, str]]:
    task = _fields(value, "notebook_task", NOTEBOOK_FIELDS, required=("notebook_path",))
    if task.get("source", "WORKSPACE") != "WORKSPACE":
        raise invalid(f"notebook_task.source is {task['source']!r}; WORKSPACE is supported here.")
    parameters = task.get("base_parameters", {})
    for name, text in parameters.items():
        if not isinstance(text, str):
            raise invalid(f"notebook_task.base_parameters.{name} is not a text.")
    if len(json.dumps(parameters)) > LARGEST_PARAMETERS_BYTES:
        raise invalid(f"notebook_task.base_parameters exceed {LARGEST_PARAMETERS_BYTES} bytes.")
    return task["notebook_path"], parameters


def _cluster(value: Any) -> Json:
    cluster = _fields(value, "new_cluster", CLUSTER_FIELDS, required=("spark_version",))
    for name, text in cluster.get("spark_conf", {}).items():
        if not isinstance(text, str):
            raise invalid(f"new_cluster.spark_conf.{name} is not a text.")
    return cluster


def _library(value: Any, where: str) -> Json:
    library = _fields(value, where, LIBRARY_FIELDS)
    if len(library) != 1:
        raise invalid(f"{where} must be one of {', '.join(LIBRARY_FIELDS)}.")
    if "maven" in library:
        _fields(library["maven"], f"{where}.maven", MAVEN_FIELDS, required=("coordinates",))
    return library


def _fields(value: Any, where: str, known: Mapping[str, type], required: tuple[str, ...] = ()) -> Json:
    """Return an object whose fields are all known, of their types, and as many as are required."""
    if not isinstance(value, dict):
        raise ApiError(400, "MALFORMED_REQUEST", f"{where} is not a JSON object.")
    for name, content in value.items():
        if name not in known:
            raise invalid(f"{where} has the field {name!r}, which is not supported here.")
        # True is an int to Python, not to the API.
        if not isinstance(content, known[name]) or (known[name] is int and isinstance(content, bool)):
            raise ApiError(
                400, "MALFORMED_REQUEST", f"{where}: {name} is not of the type {known[name].__name__}."
            )
    for name in required:
        if not value.get(name):
            raise invalid(f"{where} has no {name}.")
    return value
