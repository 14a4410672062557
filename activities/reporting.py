"""Stage report: what happened, written to the lake."""

from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome
from d2c import lake_paths
from d2c.clients.lake import connect_lake
from d2c.report import assemble_report, table_report
from d2c.report_page import render_report
from d2c.settings import app_settings

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def write_table_report(payload: dict) -> Any:
    """Write one table's part of the report, with the mismatches that its load run left in the lake."""
    lake = connect_lake(app_settings())
    load = payload.get("load") or {}
    found = lake.read_json(load["result_path"]) if load else None
    report = table_report(payload, mismatches=(found or {}).get("mismatches") or [])
    lake.write_json(lake_paths.table_report_path(payload["migration"], payload["table"]), report)


@blueprint.activity_trigger(input_name="payload")
@outcome
def write_report(payload: dict) -> Any:
    """Put the tables' parts together, in the plan's order, as JSON and as a page."""
    lake = connect_lake(app_settings())
    migration = payload["migration"]
    accepted = lake.read_json(lake_paths.plan_path(migration))
    names = [table["table"] for table in accepted["plan"]["tables"]]
    parts = [lake.read_json(lake_paths.table_report_path(migration, name)) for name in names]
    report = assemble_report(migration, payload["state"], accepted, [part for part in parts if part])
    lake.write_json(lake_paths.report_path(migration), report)
    lake.write(lake_paths.report_page_path(migration), render_report(report).encode())
