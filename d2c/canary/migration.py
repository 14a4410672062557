"""Making the canary's tables, and moving them by the deployed app."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from d2c.canary import samples
from d2c.canary.names import TAG
from d2c.canary.scene import Answer, Deployment, Scene
from d2c.errors import D2CError, NotFoundError, TransientError

ENDED = ("succeeded", "failed", "cancelled")
TABLE_SECONDS, CHECK_SECONDS, CANCEL_SECONDS = 900, 300, 600
# Point-in-time recovery reaches up to about five minutes before now.
RESTORABLE_SECONDS = 1_800
EVENT_SECONDS = 600
STATUS_FIELDS = ("table", "state", "stage", "percent")

Tell = Callable[[str], None]


def make_tables(scene: Scene, tell: Tell) -> None:
    """Make the canary's two tables with their items, and wait until they can be exported as they are.

    Raises:
        D2CError: if AWS refuses a call, or a table is not ready in time.
    """
    aws = scene.deployment.aws
    for kind in samples.SAMPLES:
        name = scene.names.table(kind)
        tell(f"making    table {name}")
        aws.create_table(name, samples.KEY_ATTRIBUTES[kind], {TAG: scene.names.run})
    for kind in samples.SAMPLES:
        name = scene.names.table(kind)
        wait_until(scene.deployment, partial(aws.is_active, name), TABLE_SECONDS, f"table {name} is active")
        recoverable = partial(aws.turn_on_recovery, name)
        wait_until(scene.deployment, recoverable, TABLE_SECONDS, f"table {name} has point-in-time recovery")
        aws.write(name, samples.items_of(kind))
    written = datetime.now(UTC)
    tell("waiting   until point-in-time recovery has the items, about five minutes")
    for kind in samples.SAMPLES:
        _wait_until_restorable(scene, scene.names.table(kind), written)


def _wait_until_restorable(scene: Scene, name: str, written: datetime) -> None:
    def has_items() -> bool:
        latest = scene.deployment.aws.latest_restorable(name)
        return latest is not None and latest >= written

    wait_until(
        scene.deployment, has_items, RESTORABLE_SECONDS, f"table {name} can be exported with its items"
    )


def wait_until(deployment: Deployment, is_so: Callable[[], bool], seconds: float, what: str) -> None:
    """Look until something is so.

    Args:
        deployment: whose clock is used, and whose times between looks.
        is_so: looks once; a call that fails for a moment is made again.
        seconds: for how long at the most.
        what: what is waited for, in words.

    Raises:
        D2CError: if it is not so in time.
    """
    end = deployment.clock() + seconds
    cause = ""
    while True:
        try:
            if is_so():
                return
        except TransientError as error:
            cause = f" ({error.detail})"
        if deployment.clock() >= end:
            raise D2CError(
                f"After {seconds:,.0f} seconds it is not so that {what}{cause}.",
                "Look at it, then run d2c canary --clean and try again.",
                "The canary waited in vain",
            )
        deployment.pause(deployment.look_seconds)


def check_plan(scene: Scene) -> None:
    """Have the app check the plan, and keep what it found."""
    app = scene.deployment.app
    check = app.check(_body(scene))["id"]
    ended: list[Answer] = []

    def has_ended() -> bool:
        answer = app.check_status(check)
        ended.extend([answer] if answer["state"] != "running" else [])
        return bool(ended)

    wait_until(scene.deployment, has_ended, CHECK_SECONDS, "the app's check has ended")
    scene.findings = list(ended[-1]["checks"] or ())


def move_tables(scene: Scene, seconds: float, tell: Tell) -> None:
    """Start the migration, put its plan into the lake as well, and follow both to their end.

    Args:
        scene: the canary's.
        seconds: for how long at the most; then the migration is cancelled.
        tell: told what happens.
    """
    deployment = scene.deployment
    deployment.app.start(_body(scene))
    deployment.lake.write(scene.names.plan_file, _body(scene))
    tell(f"moving    {' and '.join(scene.tables)}")
    began = deployment.clock()

    def has_ended() -> bool:
        _look_for_answer(scene, began)
        status = deployment.app.status(scene.names.run)
        _keep(scene, status)
        return status["state"] in ENDED

    try:
        wait_until(scene.deployment, has_ended, seconds, "the migration has ended")
    except D2CError:
        with suppress(D2CError):
            cancel(deployment, scene.names.run)
        raise
    _wait_for_answer(scene, began)
    wait_until(scene.deployment, lambda: _has_report(scene), CHECK_SECONDS, "the migration has a report")


def _wait_for_answer(scene: Scene, began: float) -> None:
    """Wait for the app's answer to the plan in the lake; the check on it fails if there is none."""
    with suppress(D2CError):
        answered = f"{scene.names.plan_file} is answered"
        wait_until(scene.deployment, lambda: _has_answer(scene, began), EVENT_SECONDS, answered)


def _has_answer(scene: Scene, began: float) -> bool:
    _look_for_answer(scene, began)
    return scene.plan_answer is not None


def _look_for_answer(scene: Scene, began: float) -> None:
    if scene.plan_answer is not None:
        return
    for ending in (".accepted", ".refused"):
        answer = scene.deployment.lake.read_json(f"{scene.names.plan_file}{ending}")
        if answer:
            scene.plan_answer = scene.deployment.clock() - began, answer


def _keep(scene: Scene, status: Answer) -> None:
    tables = [{name: table[name] for name in STATUS_FIELDS} for table in status["tables"]]
    seen = {"state": status["state"], "tables": tables}
    if not scene.statuses or scene.statuses[-1] != seen:
        scene.statuses.append(seen)


def _has_report(scene: Scene) -> bool:
    scene.report = scene.deployment.app.report(scene.names.run)
    return True


def cancel(deployment: Deployment, migration: str) -> None:
    """Cancel a migration and wait for its end, so that nothing writes any more; one that has ended is left alone."""
    app = deployment.app
    try:
        if app.status(migration)["state"] in ENDED:
            return
        app.change(migration, "cancel")
    except NotFoundError:
        return
    ended = f"{migration} has been cancelled"
    wait_until(deployment, lambda: app.status(migration)["state"] in ENDED, CANCEL_SECONDS, ended)


def _body(scene: Scene) -> bytes:
    return json.dumps(scene.plan).encode()
