import subprocess
import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from d2c.app.logs import current_fields
from d2c.app.observing import measure, measure_tables, observe_by, observed, root_of
from d2c.clients.telemetry import SWITCHES, configure_telemetry


class Recorded:
    """Spans and metrics of one test."""

    def __init__(self):
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.traces, self.meters = TracerProvider(), MeterProvider([self._reader])
        self.traces.add_span_processor(SimpleSpanProcessor(self._spans))

    @property
    def spans(self):
        return self._spans.get_finished_spans()

    def points(self, name):
        (resource,) = self._reader.get_metrics_data().resource_metrics
        return [
            point
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def recorded():
    recorded = Recorded()
    observe_by(recorded.traces, recorded.meters)
    yield recorded
    observe_by()
    recorded.traces.shutdown()
    recorded.meters.shutdown()


def test_without_telemetry_fields_are_set_and_numbers_are_dropped():
    with observed("start_copy", migration="m") as span:
        assert current_fields() == {"migration": "m"}
        span.set_status(StatusCode.ERROR, "it broke")
        measure("d2c.items.written", 1)
        assert not span.is_recording()
    assert not current_fields()


def test_a_span_has_the_fields_of_its_place(recorded):
    with observed("watch", migration="m"), observed("look", table="a"):
        pass
    assert [(span.name, dict(span.attributes)) for span in recorded.spans] == [
        ("look", {"migration": "m", "table": "a"}),
        ("watch", {"migration": "m"}),
    ]


def test_spans_of_a_migration_are_below_its_root(recorded):
    with observed("watch", migration="m"), observed("look", table="a"):
        pass
    root = root_of("m")
    assert {(span.parent.trace_id, span.parent.span_id) for span in recorded.spans} == {
        (root.trace_id, root.span_id)
    }


def test_a_span_without_a_migration_is_below_the_current_one(recorded):
    with observed("watch"), observed("deliver"):
        pass
    inner, outer = recorded.spans
    assert inner.parent.span_id == outer.context.span_id
    assert outer.parent is None


def test_an_exception_is_not_recorded_with_its_text(recorded):
    with pytest.raises(ValueError, match="secret"), observed("watch"):
        raise ValueError("secret")
    (span,) = recorded.spans
    assert span.events == ()
    assert span.status.status_code is StatusCode.UNSET


def test_a_number_has_the_migration_and_table_and_no_field_of_many_values(recorded):
    with observed("x", migration="m", table="a", run_key="k", attempt=1):
        measure("d2c.stage.duration", 1.5, stage="copy")
        measure("d2c.stage.duration", None, stage="load")
    (point,) = recorded.points("d2c.stage.duration")
    assert (point.count, point.sum) == (1, 1.5)
    assert dict(point.attributes) == {"migration": "m", "table": "a", "stage": "copy"}


def test_a_state_without_tables_is_recorded_as_zero(recorded):
    with observed("watch", migration="m"):
        measure_tables(["running", "succeeded", "running"])
    counts = {point.attributes["state"]: point.value for point in recorded.points("d2c.tables")}
    assert counts == {"pending": 0, "running": 2, "succeeded": 1, "failed": 0, "cancelled": 0}


def test_without_a_setting_no_sdk_is_loaded():
    code = (
        "import sys; from d2c.clients.telemetry import configure_telemetry; configure_telemetry({}); "
        "sys.exit(any(name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", [SWITCHES[0]])
def test_telemetry_that_cannot_start_is_logged_and_the_app_works(name, lines):
    configure_telemetry({name: "this is no connection string"})
    (line,) = [line for line in lines() if line["logger"] == "d2c.clients.telemetry"]
    assert line["level"] == "ERROR"
    assert "Telemetry is off" in line["message"]
    with observed("start_copy"):
        measure("d2c.items.written", 1)
