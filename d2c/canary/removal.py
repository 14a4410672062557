"""Removes the resources of canaries one by one; those that cannot be removed are reported."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from d2c.canary.names import RUN, TAG, run_of
from d2c.canary.scene import Deployment
from d2c.errors import D2CError
from d2c.state.paths import MIGRATIONS_BY_TIME, MIGRATIONS_OPEN, WATCHDOG, migration_of_index

# In which a migration has files by its name; the answers to a plan lie beside it.
FOLDERS = ("exports/", "plans/", MIGRATIONS_OPEN, WATCHDOG, "orphans/", "checks/check-", "migrations/")
PAGE = 500


class Thing(NamedTuple):
    """Something that a canary made: its kind, its name, of which canary it is, and what removes it."""

    kind: str
    name: str
    run: str
    remove: Callable[[], None]


def find(deployment: Deployment, run: str) -> tuple[list[Thing], list[str]]:
    """Return what there is of a canary, or of all of them, and where it could not be looked for.

    Args:
        deployment: the deployment.
        run: the canary's name, or the beginning of all their names.
    """
    things: list[Thing] = []
    faults: list[str] = []
    for finder in (_tables, _databases, _exports, _files):
        try:
            things += finder(deployment, run)
        except D2CError as error:
            faults.append(error.detail)
    return things, faults


def remove(things: Iterable[Thing], tell: Callable[[str], None]) -> list[str]:
    """Remove things; return those that could not be, each with its reason.

    Args:
        things: as they are found.
        tell: told what is removed.
    """
    left: list[str] = []
    for thing in things:
        try:
            thing.remove()
        except D2CError as error:
            left.append(f"{thing.kind} {thing.name}: {error.detail}")
        else:
            tell(f"removed   {thing.kind} {thing.name}")
    return left


def running_migrations(deployment: Deployment, run: str) -> list[str]:
    """Return the migrations of canaries that have not ended."""
    found = [path.removeprefix(MIGRATIONS_OPEN) for path in _paths(deployment, MIGRATIONS_OPEN + run)]
    return [name for name in found if RUN.fullmatch(name)]


def _tables(deployment: Deployment, run: str) -> Iterator[Thing]:
    for name in deployment.aws.tables_with(run, TAG):
        owner = run_of(name)
        if owner:
            yield Thing("table", name, owner, partial(deployment.aws.delete_table, name))


def _databases(deployment: Deployment, run: str) -> Iterator[Thing]:
    for name in deployment.cosmos.databases(run):
        if RUN.fullmatch(name):
            yield Thing("database", name, name, partial(deployment.cosmos.delete_database, name))


def _exports(deployment: Deployment, run: str) -> Iterator[Thing]:
    bucket, folder = deployment.settings.export_bucket, f"{deployment.settings.export_prefix}/"
    keys = deployment.aws.keys(bucket, f"{folder}{run}")
    for owner, mine in _by_run((run_of(key.removeprefix(folder)), key) for key in keys).items():
        name = f"s3://{bucket}/{folder}{owner}/"
        yield Thing("exports", name, owner, partial(deployment.aws.delete, bucket, mine))


def _files(deployment: Deployment, run: str) -> Iterator[Thing]:
    found = [
        (run_of(path.removeprefix(folder)), path)
        for folder in FOLDERS
        for path in _paths(deployment, folder + run)
    ]
    found += [(run_of(migration_of_index(path)), path) for path in _paths(deployment, MIGRATIONS_BY_TIME)]
    wanted = [(owner, path) for owner, path in found if owner and owner.startswith(run)]
    for owner, mine in _by_run(wanted).items():
        yield Thing("files of the lake", owner, owner, partial(_delete_files, deployment, mine))


def _paths(deployment: Deployment, prefix: str) -> Iterator[str]:
    token: str | None = None
    while True:
        paths, token = deployment.lake.page(prefix, PAGE, token)
        yield from paths
        if token is None:
            return


def _delete_files(deployment: Deployment, paths: Iterable[str]) -> None:
    # What lies in a folder goes before the folder, which a hierarchical namespace lists too.
    for path in sorted(paths, reverse=True):
        deployment.lake.delete(path)


def _by_run(pairs: Iterable[tuple[str | None, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for owner, name in pairs:
        if owner:
            found.setdefault(owner, []).append(name)
    return found
