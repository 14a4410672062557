"""The result of a table's load run: the one door by which it comes from the lake."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from d2c.errors import PermanentError, TransientError
from d2c.field_types import shaped
from d2c.foreign_json import ForeignJsonError, json_value, quoted
from d2c.mapping.rejected import shown
from d2c.shapes import ErrorDict, LoadRunResult, LoadStage

# The largest has 300 mismatches, and a census of 1,000 attributes with names of 255 characters.
RESULT_BYTES = 2**22
# What a stage leaves that has succeeded.
FINDINGS = {
    "assess": ("assessed", "files"),
    "load": ("loaded", "load_started_at"),
    "replay": ("replayed",),
    "verify": ("verification",),
}


def read_result(read: Callable[[str, int], bytes | None], path: str) -> LoadRunResult | None:
    """Return the result of a table's load run, or None if it is not there yet.

    Args:
        read: returns a file of the lake, of a size at most, or None.
        path: the result's.

    Raises:
        TransientError: if it is not JSON: Spark writes a file in pieces, so it may still be incomplete.
        PermanentError: if it is not the result of a load run.
    """
    content = read(path, RESULT_BYTES)
    return None if content is None else parse_result(content, path)


def parse_result(content: bytes, path: str) -> LoadRunResult:
    """Return the result of a load run; see `read_result`."""
    try:
        value = json_value(content, "the result", RESULT_BYTES)
    except ForeignJsonError as error:
        raise TransientError(
            f"{path} cannot be read: {error.faults[0]}.",
            "Retrying. If it keeps failing, check what else writes to the file.",
        ) from error
    try:
        return _result(value)
    except (TypeError, ValueError) as error:
        raise PermanentError(
            f"{path} is not the result of a load run: {shown(str(error))}.",
            "Check what else writes there, and that the d2c wheel in the workspace is of the app's version "
            "(d2c deploy); then retry the migration.",
            title="The result of the load run cannot be read",
        ) from error


def _result(value: Any) -> LoadRunResult:
    result: LoadRunResult = shaped(value, LoadRunResult, "the result")
    for stage in result["stages"]:
        _check_stage(stage)
    failed = [stage["stage"] for stage in result["stages"] if stage["state"] == "failed"]
    if (result["state"] == "failed") != (result["error"] is not None) or (failed and not result["error"]):
        raise ValueError(f"it {result['state']}, with stages and an error that say otherwise")
    _check_findings(result)
    return {**result, "error": result["error"] and _told(result["error"])}


def _check_stage(stage: LoadStage) -> None:
    if stage["seconds"] < 0 or datetime.fromisoformat(stage["started_at"]).tzinfo is None:
        raise ValueError(f"the stage {stage['stage']} has impossible times")


def _check_findings(result: LoadRunResult) -> None:
    """Check that what succeeded has found something."""
    if not result["stages"]:
        raise ValueError("it has no stages")
    left: Mapping[str, Any] = result
    for stage in (stage["stage"] for stage in result["stages"] if stage["state"] == "succeeded"):
        missing = [name for name in FINDINGS[stage] if left.get(name) is None]
        if missing:
            raise ValueError(f"{stage} succeeded and left no {missing[0]}")


def _told(error: ErrorDict) -> ErrorDict:
    """Return an error without secrets, as one that another try does not heal and that is no cancellation."""
    stage = error.get("stage")
    if stage not in FINDINGS:
        raise ValueError(f"its error is of the stage {quoted(stage)}")
    told = PermanentError(error["detail"], error["next_step"], error["title"]).to_dict()
    return {**told, "stage": stage}
