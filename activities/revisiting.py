"""What a revisit of a migration that has ended begins with."""

from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome
from d2c.clients.lake import connect_lake
from d2c.errors import StageError
from d2c.lake_paths import table_record_path
from d2c.settings import app_settings

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def read_table_record(payload: dict) -> Any:
    """Return all that a table's stages found."""
    path = table_record_path(payload["migration"], payload["table"])
    record = connect_lake(app_settings()).read_json(path)
    if record is None:
        raise StageError(
            f"The record of the table {payload['table']} is no longer in the lake: {path}.",
            "Look for what deletes files there.",
        )
    return record
