"""The results of a migration: its report, and its rejected items page by page."""

from collections.abc import Sequence
from typing import NamedTuple

from d2c.clients.azure.lake import Lake
from d2c.control import migrations
from d2c.control.app import App
from d2c.errors import NotFoundError
from d2c.state import paths
from d2c.state.rejected_pages import read_page, read_token
from d2c.state.table_record import rejected_folder


async def report_of(app: App, migration: str, *, as_page: bool) -> bytes:
    """Return a migration's report, as an HTML page or as JSON.

    Raises:
        NotFoundError: if there is no such migration, or no report yet.
    """
    path = paths.MigrationFiles(migration).report_page if as_page else paths.MigrationFiles(migration).report
    report = await app.lake.read(path)
    if report is None:
        state = await migrations.state_of(app, migration)
        raise NotFoundError(
            f"Migration {migration} is {state} and has no report yet.", "Try again once it has ended."
        )
    return report


class RejectedFilter(NamedTuple):
    """The rejected items that a request asks for.

    Args:
        table: the table whose items are asked for; every table's if None.
        reason: why they were rejected; any reason if None.
        top: how many at the most.
        token: the second value of the page before, or None for the first page.
    """

    table: str | None
    reason: str | None
    top: int
    token: str | None


async def rejected_items(app: App, migration: str, asked: RejectedFilter) -> tuple[list[bytes], str | None]:
    """Return one page of rejected items as JSON text, and the next page's token or None.

    Raises:
        RefusedError: if the token is not one of ours.
        NotFoundError: if there is no such migration, or it has no such table.
    """
    begin = read_token(asked.token) if asked.token is not None else None
    await migrations.state_of(app, migration)
    names = await migrations.table_names(app.lake, migration)
    if asked.table is not None and asked.table not in names:
        raise NotFoundError(
            f"Migration {migration} has no table {asked.table}.", f"Give one of {', '.join(names[:20])}."
        )
    folders = await app.lake.run(_folders, migration, names if asked.table is None else [asked.table])
    items, following = await app.lake.run(read_page, folders, asked.reason, asked.top, begin)
    return items, following.to_token() if following else None


def _folders(lake: Lake, migration: str, tables: Sequence[str]) -> dict[str, str]:
    """Return the folder of each table's rejected items; a table that was not loaded has none."""
    folders = {}
    for table in tables:
        record = lake.read_json(paths.MigrationFiles(migration).table(table).record)
        folder = rejected_folder(record) if record else None
        if folder is not None:
            folders[table] = folder
    return folders
