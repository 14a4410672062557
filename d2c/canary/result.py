"""The result of a canary, fit to be pasted into an issue: without secrets, account and subscription."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.canary.checks.table import Check
from d2c.canary.findings import STATES, Found
from d2c.canary.scene import Scene
from d2c.errors import D2CError
from d2c.redaction import known_secrets, without_secrets
from d2c.version import VERSION

Row = tuple[Check, Found, float]


def result_of(
    scene: Scene, started_at: str, rows: Sequence[Row], error: D2CError | None, left: Sequence[str]
) -> dict[str, Any]:
    """Return the result as JSON.

    Args:
        scene: the canary's.
        started_at: in ISO 8601.
        rows: each check with what it found, and its seconds.
        error: why it could not run to its end, or None.
        left: what could not be removed.
    """
    result = {
        "canary": scene.names.run,
        "version": VERSION,
        "started_at": started_at,
        "region": scene.deployment.aws.region,
        "connector": scene.settings.load_runs.connector,
        "runtime": scene.settings.cluster.get("spark_version"),
        "migration": scene.report and scene.report["state"],
        "error": error and error.texts(),
        "counts": {state: sum(found.state == state for _, found, _ in rows) for state in STATES},
        "checks": [
            {
                "check": check.name,
                "assumption": check.assumption,
                "tried": check.tried,
                "state": found.state,
                "seen": found.seen,
                "seconds": round(seconds, 1),
            }
            for check, found, seconds in rows
        ],
        "left": list(left),
    }
    redacted: dict[str, Any] = _redacted(result, *_replacements(scene))
    return redacted


def _replacements(scene: Scene) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Return the secrets of the environment, and what names the account and the subscription."""
    names = {scene.deployment.aws.account: "<account>", scene.settings.subscription_id: "<subscription>"}
    return known_secrets(scene.deployment.environment), {name: text for name, text in names.items() if name}


def _redacted(value: Any, secrets: tuple[str, ...], names: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {key: _redacted(each, secrets, names) for key, each in value.items()}
        case list():
            return [_redacted(each, secrets, names) for each in value]
        case str():
            text = without_secrets(value, secrets)
            for name, shown in names.items():
                # A number of 38 digits may contain those of the account.
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", shown, text)
            return text
    return value
