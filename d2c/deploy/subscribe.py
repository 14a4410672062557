"""Subscribe the app to the lake's events, once it runs: the second step of a deployment (`infra/events.bicep`).

The subscriptions need a key that the app's host makes when it first loads the blob extension, and Event Grid validates
them by a call to the app. https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

import d2c
from d2c.errors import D2CError, SettingsError
from d2c.redaction import without_secrets

NEEDED = (
    "AZURE_SUBSCRIPTION_ID",
    "D2C_RESOURCE_GROUP",
    "D2C_LAKE_NAME",
    "D2C_LAKE_FILE_SYSTEM",
    "D2C_FUNCTION_APP",
    "D2C_URL",
)
TEMPLATE = Path("infra", "events.bicep")
# Anyone may read it, and the answer takes a host that has loaded the app.
PAGE = "/api/dashboard"
LOOKS, LOOK_SECONDS = 40, 15
TRIES, TRY_SECONDS = 3, 60
LONGEST_CAUSE = 600
# Part of what the Azure CLI says without a sign-in, or with one that has expired.
SIGNED_OUT = "az login"
TITLE = "The app is not subscribed to the lake's events"


@dataclass(frozen=True)
class Outside:
    """The access to the outside world; tests pass a substitute.

    Args:
        azure_cli: runs `az` with arguments; returns whether it succeeded, and its output or its error.
        get_status: returns the status of a GET request, 0 if there is no answer.
        pause: sleeps for a number of seconds.
    """

    azure_cli: Callable[[Sequence[str]], tuple[bool, str]]
    get_status: Callable[[str], int]
    pause: Callable[[float], None] = time.sleep


def subscribe_app(environment: Mapping[str, str], outside: Outside, tell: Callable[[str], None]) -> None:
    """Wait until the app runs, then create the subscriptions; can be repeated.

    Args:
        environment: the outputs of `infra/main.bicep`.
        outside: `real_outside`'s.
        tell: called with each step, in words.

    Raises:
        SettingsError: if an output is missing.
        D2CError: if the app does not start within ten minutes, or Azure rejects the subscriptions three times.
    """
    missing = [name for name in NEEDED if not environment.get(name)]
    if missing:
        raise SettingsError(
            f"{', '.join(missing)} missing: the outputs of infra/main.bicep are not in the environment.",
            "Run azd deploy, whose hook sets them, or pass --env-file .azure/<environment>/.env.",
        )
    _wait_for_app(environment, outside, tell)
    _create(environment, outside, tell)


def _wait_for_app(environment: Mapping[str, str], outside: Outside, tell: Callable[[str], None]) -> None:
    app, state = environment["D2C_FUNCTION_APP"], ""
    for look in range(LOOKS):
        if look:
            tell(f"waiting    for {app}, which {state}")
            outside.pause(LOOK_SECONDS)
        state = _what_it_lacks(environment, outside)
        if not state:
            return
    raise D2CError(
        f"Function app {app} {state}, {LOOKS * LOOK_SECONDS // 60} minutes after its deployment.",
        "See its log stream and the settings in the portal, fix the cause, then run azd deploy again.",
        TITLE,
    )


def _what_it_lacks(environment: Mapping[str, str], outside: Outside) -> str:
    """Return what the app lacks to be subscribed, in words; empty if nothing. The key itself is not asked for."""
    status = outside.get_status(environment["D2C_URL"].rstrip("/") + PAGE)
    if status != 200:
        return f"answers {status or 'nothing'} at {PAGE}"
    done, found = outside.azure_cli(
        [
            *("functionapp", "keys", "list", *_group(environment), "--name", environment["D2C_FUNCTION_APP"]),
            *("--query", "contains(keys(systemKeys), 'blobs_extension')", "--output", "tsv"),
        ]
    )
    if SIGNED_OUT in found and not done:
        raise D2CError(
            f"The Azure CLI is not signed in: {_shown(found)}", "Run az login, then azd deploy.", TITLE
        )
    if not done:
        return f"does not tell its keys ({_shown(found)})"
    return "" if found.strip().lower() == "true" else "has no key blobs_extension yet"


def _create(environment: Mapping[str, str], outside: Outside, tell: Callable[[str], None]) -> None:
    arguments = _deployment(environment, _other_topic(environment, outside))
    cause = ""
    for attempt in range(TRIES):
        if attempt:
            tell(f"retrying   {_shown(cause)}")
            outside.pause(TRY_SECONDS)
        done, cause = outside.azure_cli(arguments)
        if done:
            return
    raise D2CError(
        f"Azure rejected {TEMPLATE} {TRIES} times: {_shown(cause)}",
        "New role assignments and a new app take some minutes: run azd deploy again. If it keeps failing, see the "
        "deployment d2c-events of the resource group in the portal.",
        TITLE,
    )


def _deployment(environment: Mapping[str, str], topic: str | None) -> list[str]:
    parameters = {
        "lakeName": environment["D2C_LAKE_NAME"],
        "fileSystem": environment["D2C_LAKE_FILE_SYSTEM"],
        "functionAppName": environment["D2C_FUNCTION_APP"],
        **({"existingSystemTopic": topic} if topic else {}),
    }
    return [
        *("deployment", "group", "create", *_group(environment), "--name", "d2c-events", "--output", "none"),
        *("--only-show-errors", "--template-file", str(Path(d2c.__file__).parents[1] / TEMPLATE)),
        *("--parameters", *(f"{name}={value}" for name, value in parameters.items())),
    ]


def _other_topic(environment: Mapping[str, str], outside: Outside) -> str | None:
    """Return the lake's system topic that the deployment did not create: a source can have one only.

    Defender for Storage creates one. https://learn.microsoft.com/azure/event-grid/system-topics
    """
    done, found = outside.azure_cli(
        ["eventgrid", "system-topic", "list", *_group(environment), "--output", "json"]
    )
    lake = environment["D2C_LAKE_NAME"]
    topics: list[Any] = json.loads(found or "[]") if done else []
    names = [topic["name"] for topic in topics if _source(topic).rpartition("/")[2].lower() == lake.lower()]
    return next((name for name in names if name != f"evgt-{lake}"), None)


def _source(topic: Mapping[str, Any]) -> str:
    # Versions of the Azure CLI differ in whether they flatten properties.
    return str(topic.get("source") or topic.get("properties", {}).get("source") or "")


def _group(environment: Mapping[str, str]) -> tuple[str, ...]:
    subscription, group = environment["AZURE_SUBSCRIPTION_ID"], environment["D2C_RESOURCE_GROUP"]
    return "--subscription", subscription, "--resource-group", group


def _shown(cause: str) -> str:
    text = without_secrets(" ".join(cause.split()))
    return text if len(text) <= LONGEST_CAUSE else f"{text[:LONGEST_CAUSE]}..."


def real_outside() -> Outside:
    """Return the access of this machine: Azure's command line, and the network."""
    return Outside(_run_azure_cli, _get_status)


def _run_azure_cli(arguments: Sequence[str]) -> tuple[bool, str]:
    program = shutil.which("az")
    if program is None:
        raise D2CError("The program az is not on the PATH.", "Install the Azure CLI, then try again.", TITLE)
    ran = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    return ran.returncode == 0, ran.stdout if ran.returncode == 0 else ran.stderr


def _get_status(url: str) -> int:
    try:
        return httpx.get(url, timeout=60).status_code
    except httpx.HTTPError:
        return 0
