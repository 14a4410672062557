"""What may be asked of a migration that runs: to end, or to end tables of it early."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from d2c.bodies import read_body
from d2c.errors import BodyError
from d2c.plan import StrictModel, TableName


class CancelBody(StrictModel):
    """Which tables are cancelled; the whole migration, where it is left out."""

    tables: Annotated[list[TableName], Field(min_length=1)] | None = None


def parse_cancel(body: bytes, known_tables: Sequence[str]) -> list[str] | None:
    """Read the body of a request to cancel; the result is the tables that it names, or None.

    Args:
        body: UTF-8 JSON as ``docs/reference/http-api.md`` describes it, or nothing.
        known_tables: the tables of the migration.

    Raises:
        BodyError: with every fault of it.
    """
    tables = read_body(CancelBody, body).tables
    faults = [
        f"tables.{number}: {name} is no table of the migration"
        for number, name in enumerate(tables or ())
        if name not in known_tables
    ]
    if faults:
        raise BodyError(faults)
    return tables
