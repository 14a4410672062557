"""The rejected items of a migration's tables as they stand now."""

import asyncio

from d2c import lake_paths
from d2c.clients.lake import Lake, connect_lake
from d2c.errors import NotFoundError, RefusedError
from d2c.mapping import REASONS
from d2c.rejected_pages import read_page, read_token
from d2c.settings import app_settings
from d2c.table_record import rejected_folder
from triggers import migrations


async def page(
    migration: str, *, size: int, table: str | None, reason: str | None, token: str | None
) -> tuple[list[bytes], str | None]:
    """Return one page of rejected items as JSON text, and the next page's token or None.

    Args:
        migration: its id.
        size: how many items to return at the most.
        table: the table whose items are asked for; every table's if None.
        reason: why they were rejected; any reason if None.
        token: the second value of the page before, or None for the first page.

    Raises:
        RefusedError: if there is no such reason, or the token is none.
        NotFoundError: if the migration has no such table.
    """
    if reason is not None and reason not in REASONS:
        raise RefusedError(f"reason is {reason!r}.", f"Give one of {', '.join(REASONS)}.")
    begin = read_token(token) if token is not None else None
    lake = connect_lake(app_settings())
    names = await migrations.table_names(lake, migration)
    if table is not None and table not in names:
        raise NotFoundError(
            f"Migration {migration} has no table {table}.", f"Give one of {', '.join(names[:20])}."
        )
    folders = await asyncio.to_thread(_folders, lake, migration, names if table is None else [table])
    items, following = await asyncio.to_thread(read_page, lake, folders, reason, size, begin)
    return items, following.to_token() if following else None


def _folders(lake: Lake, migration: str, tables: list[str]) -> dict[str, str]:
    """Return the folder of each table's rejected items; a table that has not come so far has none."""
    folders = {}
    for table in tables:
        record = lake.read_json(lake_paths.table_record_path(migration, table))
        folder = rejected_folder(record) if record else None
        if folder is not None:
            folders[table] = folder
    return folders
