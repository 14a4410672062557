"""The canary from its beginning to its end, for `d2c.cli`."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from d2c.app.settings import Settings, read_settings
from d2c.canary.checks.table import CHECKS, Check
from d2c.canary.findings import UNTRIED, Found, UntriedError
from d2c.canary.migration import cancel, check_plan, make_tables, move_tables
from d2c.canary.names import PREFIX, new_names
from d2c.canary.operator.aws import OperatorAws, connect_operator_aws
from d2c.canary.operator.cosmos import connect_operator_cosmos
from d2c.canary.operator.factory import connect_operator_factory
from d2c.canary.operator.workspace import connect_operator_workspace
from d2c.canary.price import price_of
from d2c.canary.removal import Thing, find, remove, running_migrations
from d2c.canary.result import Row, result_of
from d2c.canary.rights import RIGHTS
from d2c.canary.samples import plan_of
from d2c.canary.scene import App, Deployment, Scene
from d2c.clients.azure.lake import connect_lake
from d2c.deploy.parameters import with_app_settings
from d2c.deploy.publish import compare
from d2c.errors import D2CError, PermanentError

LONGEST_CHECK_SECONDS = 180
OPERATORS_STEP = (
    "Sign in (az login, and your AWS profile), and check your own rights (docs/operate/canary.md) and the names in the "
    "settings; then try again. d2c canary --clean removes what is left."
)
Tell = Callable[[str], None]


def connect(
    environment: Mapping[str, str],
    app: App,
    *,
    region: str,
    profile: str | None,
    pause: Callable[[float], None] = time.sleep,
) -> Deployment:
    """Return the deployment, reached by the operator's sign-in.

    Args:
        environment: the app's settings.
        app: its HTTP API.
        region: of the tables.
        profile: of AWS; None for boto3's default credentials.
        pause: sleeps for a number of seconds.

    Raises:
        D2CError: if settings are missing, or AWS does not accept the sign-in.
    """
    environment = with_app_settings(environment)
    settings = read_settings(environment)
    with _errors_for_operators():
        return _connected(settings, environment, app, connect_operator_aws(profile, region), pause)


def _connected(
    settings: Settings,
    environment: Mapping[str, str],
    app: App,
    aws: OperatorAws,
    pause: Callable[[float], None],
) -> Deployment:
    return Deployment(
        settings=settings,
        environment=environment,
        app=app,
        aws=aws,
        lake=connect_lake(settings),
        cosmos=connect_operator_cosmos(settings),
        factory=connect_operator_factory(settings),
        workspace=connect_operator_workspace(settings),
        differences=partial(compare, environment),
        pause=pause,
        clock=time.monotonic,
    )


def new_scene(deployment: Deployment, given: Sequence[str]) -> Scene:
    """Return a canary that has not begun.

    Args:
        deployment: the deployment.
        given: tables to move instead of its own.
    """
    names = new_names()
    plan = plan_of(names, deployment.aws.region, deployment.aws.account, tuple(given))
    return Scene(deployment, names, plan, tuple(given))


def notice_of(scene: Scene) -> dict[str, Any]:
    """Return what the operator is to know before: the names, the rights and the price."""
    return {
        "canary": scene.names.run,
        "account": scene.deployment.aws.account,
        "tables": scene.tables,
        "given": bool(scene.given),
        "rights": [right._asdict() for right in RIGHTS],
        "price": price_of(scene.plan, scene.settings),
    }


@contextmanager
def _errors_for_operators() -> Iterator[None]:
    """Replace the next step of an error, which is for the app's identity, with one for the operator's sign-in."""
    try:
        yield
    except PermanentError as error:
        raise D2CError(error.detail, OPERATORS_STEP, "The canary stopped") from error


def run(scene: Scene, seconds: float, tell: Tell, *, keep: bool = False) -> dict[str, Any]:
    """Make the tables, move them, try every assumption, and remove what was made.

    Args:
        scene: as `new_scene` returns it.
        seconds: for the migration, at the most.
        tell: told what happens.
        keep: whether to leave everything as it is.
    """
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    error = _prepare(scene, seconds, tell)
    tell(f"trying    {len(CHECKS)} assumptions")
    rows = [_try(scene, check) for check in CHECKS]
    left = [] if keep else _remove_own(scene, tell)
    return result_of(scene, started_at, rows, error, left)


def _prepare(scene: Scene, seconds: float, tell: Tell) -> D2CError | None:
    """Bring about what the checks look at; return the error that ended it."""
    try:
        if not scene.given:
            with _errors_for_operators():
                make_tables(scene, tell)
        _check(scene, tell)
        move_tables(scene, seconds, tell)
    except D2CError as error:
        scene.trouble.append(error.detail)
        return error
    return None


def _check(scene: Scene, tell: Tell) -> None:
    tell("checking  the plan by the app's own check")
    try:
        check_plan(scene)
    except D2CError as error:
        scene.trouble.append(error.detail)


def _try(scene: Scene, check: Check) -> Row:
    """Try one assumption; nothing that goes wrong, and no call that hangs, keeps the others from being tried."""
    began = time.monotonic()
    found = [Found(UNTRIED, f"It took longer than {LONGEST_CHECK_SECONDS} seconds.")]
    thread = threading.Thread(target=lambda: found.append(_found(scene, check)), daemon=True)
    thread.start()
    thread.join(LONGEST_CHECK_SECONDS)
    return check, found[-1], time.monotonic() - began


def _found(scene: Scene, check: Check) -> Found:
    try:
        return check.look(scene)
    except UntriedError as error:
        return Found(UNTRIED, str(error))
    except D2CError as error:
        return Found(UNTRIED, error.detail)
    except Exception as error:
        return Found(UNTRIED, f"The check met an error of its own: {type(error).__name__}: {error}")


def _remove_own(scene: Scene, tell: Tell) -> list[str]:
    things, faults = find(scene.deployment, scene.names.run)
    return [*faults, *remove(things, tell)]


def leftovers(deployment: Deployment) -> tuple[list[Thing], list[str]]:
    """Return what is left of all canaries, and where it could not be looked for."""
    return find(deployment, PREFIX)


def clean(deployment: Deployment, things: Sequence[Thing], tell: Tell) -> list[str]:
    """Cancel the canaries that still run and remove what is left; return what could not be.

    Args:
        deployment: the deployment.
        things: as `leftovers` returns them.
        tell: told what happens.
    """
    for migration in running_migrations(deployment, PREFIX):
        tell(f"cancelling migration {migration}")
        cancel(deployment, migration)
    return remove(things, tell)
