import gzip
import json
import logging

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import StatusCode

from d2c.app.observing import observe_by, observed
from d2c.clients.open_telemetry import LOGGERS, Telemetry, exporters_of, start_telemetry

from .http import Answer
from .outside import replace_outside

CONNECTION = (
    "InstrumentationKey=00000000-0000-0000-0000-0000000000aa;"
    "IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/"
)
ACCEPTED = Answer(200, {"itemsReceived": 1, "itemsAccepted": 1, "errors": []})


def test_a_collector_gets_all_three_kinds_below_its_address(monkeypatch):
    exporters = exporters_of({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318/"})
    (spans,), (metrics,), (logs,) = exporters.spans, exporters.metrics, exporters.logs
    assert [one._endpoint for one in (spans, metrics, logs)] == [
        f"http://127.0.0.1:4318/v1/{kind}" for kind in ("traces", "metrics", "logs")
    ]


@pytest.fixture
def service(monkeypatch):
    """Return the substitute of Application Insights."""
    # The package's reports about itself, and its questions, outlive a test.
    for name in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):
        monkeypatch.setenv(f"APPLICATIONINSIGHTS_{name}", "true")
    return replace_outside(monkeypatch, lambda call: ACCEPTED)


def test_application_insights_gets_a_span_with_the_fields_as_custom_dimensions(service):
    (exporter,) = exporters_of({"APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION}).spans
    telemetry = Telemetry([SimpleSpanProcessor(exporter)], [InMemoryMetricReader()], [], Resource.create({}))
    observe_by(telemetry.traces, telemetry.meters)
    with observed("start_copy", migration="m", table="Music", stage="copy") as span:
        span.set_status(StatusCode.ERROR, "it broke")
    observe_by()
    telemetry.close()
    calls = [call for call in service.calls if call.path.endswith("/track")]
    assert calls[0].url.startswith("https://westeurope-5.in.applicationinsights.azure.com/")
    body = calls[0].body
    (envelope,) = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    data = envelope["data"]["baseData"]
    assert (data["name"], data["success"]) == ("start_copy", False)
    assert {name: data["properties"][name] for name in ("migration", "table", "stage")} == {
        "migration": "m",
        "table": "Music",
        "stage": "copy",
    }


@pytest.mark.parametrize(
    ("destination", "goes_on"),
    [
        ({"APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True),
    ],
)
def test_the_host_gets_no_line_that_application_insights_has_already(service, destination, goes_on):
    loggers = [logging.getLogger(name) for name in LOGGERS]
    telemetry = start_telemetry(destination)
    try:
        assert [logger.propagate for logger in loggers] == [goes_on] * len(LOGGERS)
    finally:
        telemetry.close()
        for logger in loggers:
            logger.propagate = True
            logger.removeHandler(telemetry.log_handler)
