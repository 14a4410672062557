"""What DynamoDB and Data Factory did with the exports."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from d2c.canary.findings import Found, UntriedError, fails, holds, judged
from d2c.canary.operator.factory import CopyRun
from d2c.canary.scene import Scene

SUMMARY = "/manifest-summary.json"
# By whether D2C_EXPORT_KMS_KEY is set: in the manifest, and of an object.
ENCRYPTIONS = {True: ("KMS", "aws:kms"), False: ("AES256", "AES256")}
SECRETS = ("awsSecretAccessKey", "awsSessionToken")
STARS = re.compile(r"\**")
# A session token of STS has some hundred characters; an id of Azure has fewer, or hyphens in it.
TOKEN = re.compile(r"[A-Za-z0-9+/_=.-]{150,}")
SESSION = "session"


def export_encryption(scene: Scene) -> Found:
    """Look at the encryption that the manifest and a data file have, against the one that was asked for."""
    scene.succeeded(scene.tables[0])
    bucket, aws = scene.settings.export_bucket, scene.deployment.aws
    keys = aws.keys(bucket, f"{scene.settings.export_prefix}/{scene.names.run}/")
    manifest, data = _first(keys, SUMMARY), _first(keys, ".json.gz")
    in_manifest = json.loads(aws.read(bucket, manifest)).get("s3SseAlgorithm")
    of_object = aws.encryption(bucket, data)
    return judged(
        (in_manifest, of_object) == ENCRYPTIONS[bool(scene.settings.aws.export_kms_key)],
        f"s3SseAlgorithm in the manifest is {in_manifest}, and the data file has {of_object}.",
    )


def _first(keys: list[str], ending: str) -> str:
    for key in keys:
        if key.endswith(ending):
            return key
    raise UntriedError(f"The export has no file whose name ends with {ending}.")


def copy_hides_secrets(scene: Scene) -> Found:
    """Look for the keys of a copy run in what its pipeline run and its activities show."""
    _check_session(scene)
    runs = _copy_runs(scene)
    found = [place for run in runs for place in readable_secrets(run)]
    if found:
        return fails(f"It can be read in {', '.join(sorted(set(found)))}.")
    activities = sum(len(run.activities) for run in runs)
    return holds(f"{len(runs)} runs with {activities} activities show no key.")


def readable_secrets(run: CopyRun) -> list[str]:
    """Return where a copy run shows a secret: by the names of secure parameters, or by what looks like a token."""
    shown = [(f"parameter {name}", value) for name, value in run.parameters.items()]
    for each in run.activities:
        shown += [(f"{part} of {each['activity']}", each[part]) for part in ("input", "output")]
    return [place for place, value in shown if _has_secret(place.removeprefix("parameter "), value)]


def _has_secret(name: str, value: Any) -> bool:
    return any(
        (name in SECRETS and not STARS.fullmatch(text)) or TOKEN.search(text)
        for name, text in _texts(name, value)
    )


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield each text in a value, with the name that it has there."""
    match value:
        case dict():
            for inner, each in value.items():
                yield from _texts(str(inner), each)
        case list():
            for each in value:
                yield from _texts(name, each)
        case str():
            yield name, value


def copy_lists_by_prefix(scene: Scene) -> Found:
    """Look whether a copy succeeded whose session may list below the export's folder only."""
    _check_session(scene)
    return _without_refusal(
        scene, "ListBucket", "The copies succeeded with sessions that may list one folder."
    )


def _without_refusal(scene: Scene, words: str, seen: str) -> Found:
    for table in scene.tables:
        error = scene.reported(table)["error"] or {}
        if words in error.get("detail", ""):
            return fails(error["detail"])
        scene.succeeded(table)
    return holds(seen)


def _check_session(scene: Scene) -> None:
    if scene.settings.aws.copy_credentials != SESSION:
        raise UntriedError("D2C_COPY_CREDENTIALS is key_vault: copy runs get no keys.")


def _copy_runs(scene: Scene) -> list[CopyRun]:
    since = datetime.fromisoformat(scene.reported()["started_at"])
    runs = scene.deployment.factory.copy_runs(f"exports/{scene.names.run}/", since)
    if not runs:
        raise UntriedError("Data Factory shows no copy run of this migration.")
    return runs
