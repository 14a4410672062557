import logging

import pytest

from activities.outcome import answer_of
from d2c.app.logs import StructuredRecord
from d2c.app.observing import MEASURES, measure, observe_by, observed, root_of
from d2c.clients.open_telemetry import LOGGERS
from d2c.clients.telemetry import configure_telemetry
from d2c.errors import PermanentError
from tests.contract.telemetry.collector import attributes_of, collector

PAYLOAD = {"migration": "music-2026", "operation": 0, "table": "Music", "attempt": 1}


@pytest.fixture
def running():
    """Return a collector, and telemetry that goes to it."""
    factory, levels = logging.getLogRecordFactory(), {}
    logging.setLogRecordFactory(StructuredRecord)
    with collector() as found:
        telemetry = configure_telemetry({"OTEL_EXPORTER_OTLP_ENDPOINT": found.url})
        for name in LOGGERS:
            levels[name] = logging.getLogger(name).level
            logging.getLogger(name).setLevel(logging.INFO)
        yield found, telemetry
        found.status = 200
        telemetry.close()
        observe_by()
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
            logging.getLogger(name).removeHandler(telemetry.log_handler)
    logging.setLogRecordFactory(factory)


def start_copy(clients, payload):
    if payload["attempt"] == 2:
        raise PermanentError("GET https://lake/a?sig=c2ln was refused.", "Grant it.")
    return "run-17"


def test_an_activity_is_a_span_in_the_trace_of_its_migration_with_its_fields(running):
    found, telemetry = running
    answer_of(start_copy, lambda: None, PAYLOAD)
    answer_of(start_copy, lambda: None, {**PAYLOAD, "attempt": 2})
    telemetry.flush()
    good, bad = found.spans
    root = root_of("music-2026")
    for span in (good, bad):
        assert span.name == "start_copy"
        assert int.from_bytes(span.trace_id, "big") == root.trace_id
        assert int.from_bytes(span.parent_span_id, "big") == root.span_id
    fields = attributes_of(good)
    assert {name: fields[name] for name in ("migration", "table", "stage")} == {
        "migration": "music-2026",
        "table": "Music",
        "stage": "copy",
    }
    assert good.status.code == 0
    assert (bad.status.code, bad.status.message) == (2, "GET https://lake/a?sig=*** was refused.")


def test_a_line_of_the_log_arrives_with_its_fields_in_the_same_trace(running):
    found, telemetry = running
    answer_of(start_copy, lambda: None, PAYLOAD)
    telemetry.flush()
    (record,) = found.logs
    assert record.body.string_value == "start_copy: run-17"
    assert attributes_of(record)["migration"] == "music-2026"
    assert record.trace_id == found.spans[0].trace_id
    assert record.span_id == found.spans[0].span_id


def test_every_number_arrives_by_its_name_and_unit_with_migration_and_table(running):
    found, telemetry = running
    with observed("write_table_report", migration="music-2026", table="Music"):
        for name in MEASURES:
            measure(name, 3)
            measure(name, None)
    telemetry.flush()
    assert {name: metric.unit for name, metric in found.metrics.items()} == {
        name: unit for name, (_, unit) in MEASURES.items()
    }
    (point,) = found.metrics["d2c.items.written"].sum.data_points
    assert point.as_double or point.as_int == 3
    assert attributes_of(point) == {"migration": "music-2026", "table": "Music"}
    (point,) = found.metrics["d2c.stage.duration"].histogram.data_points
    assert (point.count, point.sum) == (1, 3)


def test_a_collector_that_refuses_does_not_reach_what_is_done(running):
    found, telemetry = running
    found.status = 400
    assert answer_of(start_copy, lambda: None, PAYLOAD) == {"value": "run-17"}
    telemetry.flush()
    assert answer_of(start_copy, lambda: None, PAYLOAD) == {"value": "run-17"}
