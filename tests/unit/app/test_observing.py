import subprocess
import sys

import pytest

from d2c.app import observing
from d2c.app.logs import current_fields
from d2c.app.observing import measure, measure_tables, observe_by, observed
from d2c.clients.telemetry import SWITCHES, observe_if_asked


@pytest.fixture
def observer():
    class Observer:
        def __init__(self):
            self.seen = []

        def span(self, name, fields):
            self.seen.append((name, dict(fields)))
            return observing._no_span()

        def measure(self, name, value, fields):
            self.seen.append((name, value, fields))

    watching = Observer()
    observe_by(watching)
    yield watching
    observing._observers.clear()


def test_without_telemetry_fields_are_set_and_numbers_go_nowhere():
    with observed("start_copy", migration="m") as span:
        assert current_fields() == {"migration": "m"}
        span.fail("it broke")
        measure("d2c.items.written", 1)
    assert not current_fields()


def test_a_span_has_the_fields_of_its_place(observer):
    with observed("watch", migration="m"), observed("look", table="a"):
        pass
    assert observer.seen == [("watch", {"migration": "m"}), ("look", {"migration": "m", "table": "a"})]


def test_a_number_has_the_migration_and_the_table_of_its_place_and_nothing_that_makes_endless_series(
    observer,
):
    with observed("x", migration="m", table="a", run_key="k", attempt=1):
        measure("d2c.stage.duration", 1.5, stage="copy")
        measure("d2c.stage.duration", None, stage="load")
    assert observer.seen[1:] == [
        ("d2c.stage.duration", 1.5, {"migration": "m", "table": "a", "stage": "copy"})
    ]


def test_a_state_that_no_table_is_in_any_more_is_told_as_none(observer):
    with observed("watch", migration="m"):
        measure_tables(["running", "succeeded", "running"])
    told = {fields["state"]: value for _, value, fields in observer.seen[1:]}
    assert told == {"pending": 0, "running": 2, "succeeded": 1, "failed": 0, "cancelled": 0}


def test_without_a_setting_opentelemetry_is_not_even_loaded():
    code = (
        "import sys; from d2c.clients.telemetry import observe_if_asked; observe_if_asked({}); "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", [SWITCHES[0]])
def test_telemetry_that_cannot_start_is_told_and_keeps_nobody_from_work(name, lines):
    observe_if_asked({name: "this is no connection string"})
    (line,) = [line for line in lines() if line["logger"] == "d2c.clients.telemetry"]
    assert line["level"] == "ERROR"
    assert "Telemetry is off" in line["message"]
    with observed("start_copy"):
        measure("d2c.items.written", 1)
