"""The Function app: registers what there is, and has it observed, nothing else."""

import os

import azure.durable_functions as df
import azure.functions as func

from activities import (
    arrivals,
    checking,
    cleaning_up,
    copying,
    exporting,
    loading,
    planning,
    preparing,
    reporting,
    turns,
)
from activities import revisiting as reading_records
from d2c.log_fields import structure_logs
from d2c.observing import observe_if_asked
from orchestrators import checking as checking_plans
from orchestrators import clean_up, lanes, long_run, migration, revisiting, table_migration
from triggers import (
    api_document,
    checks,
    dashboard,
    http_api,
    lake_events,
    notifications,
    steering_api,
    watch,
)

structure_logs(os.environ)
observe_if_asked(os.environ)

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

for module in (
    http_api,
    checks,
    api_document,
    steering_api,
    dashboard,
    lake_events,
    notifications,
    watch,
    migration,
    lanes,
    table_migration,
    long_run,
    revisiting,
    clean_up,
    checking_plans,
    planning,
    checking,
    turns,
    arrivals,
    exporting,
    copying,
    preparing,
    loading,
    reporting,
    reading_records,
    cleaning_up,
):
    app.register_functions(module.blueprint)
