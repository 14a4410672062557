"""The Function app: registers all functions and configures logs and telemetry."""

import os

import azure.durable_functions as df
import azure.functions as func

from activities import (
    check,
    copy,
    existing_export,
    export,
    lanes,
    load,
    orphans,
    report,
    request_units,
    start,
    tables,
)
from activities.load_lane import index, prepare, scale
from d2c.app.logs import structure_logs
from d2c.clients.telemetry import configure_telemetry
from orchestrators import check_plan, clean_up, lane, run_operation, run_to_its_end
from triggers import dashboard, events, http_api, timers

structure_logs()
configure_telemetry(os.environ)

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

for module in (
    http_api,
    dashboard,
    events,
    timers,
    run_operation,
    lane,
    run_to_its_end,
    clean_up,
    check_plan,
    start,
    tables,
    lanes,
    check,
    existing_export,
    export,
    copy,
    prepare,
    scale,
    index,
    load,
    request_units,
    report,
    orphans,
):
    app.register_functions(module.blueprint)
