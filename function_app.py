"""The Function app: registers what there is, nothing else."""

import azure.durable_functions as df
import azure.functions as func

from activities import copying, exporting, loading, preparing, reporting
from activities import revisiting as reading_records
from orchestrators import long_run, migration, revisiting, table_migration
from triggers import http_api, lake_events, notifications

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

for module in (
    http_api,
    lake_events,
    notifications,
    migration,
    table_migration,
    long_run,
    revisiting,
    exporting,
    copying,
    preparing,
    loading,
    reporting,
    reading_records,
):
    app.register_functions(module.blueprint)
