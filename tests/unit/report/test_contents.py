from datetime import UTC, datetime, timedelta

from d2c.report.contents import ended_stages, table_report
from d2c.report.page import render_report
from tests.builders import a_census, a_described, a_record, a_stage
from tests.unit.reports import whole_report


def begun(**ahead):
    started_at = datetime.now(UTC) + timedelta(**ahead)
    return {"stage": "report", "state": "running", "started_at": started_at.isoformat()}


def test_the_stage_that_writes_the_report_ends_with_it():
    (stage,) = ended_stages([begun(seconds=-30)])
    assert stage["state"] == "succeeded"
    assert 30 <= stage["seconds"] < 60


def test_no_stage_took_less_than_no_time_where_the_clock_of_its_start_is_ahead():
    assert ended_stages([begun(seconds=30)])[0]["seconds"] == 0


def test_indexes_that_were_applied_after_the_load_are_reported_and_others_are_not():
    late = a_described(final_policy={"includedPaths": [{"path": "/a/?"}, {"path": "/b/?"}]})
    stages = [*a_record()["stages"], a_stage("index", seconds=90.0)]
    record = a_record(described=late, stages=stages, indexed_percent=63, consumed={"indexing_ru": 7})
    part = table_report(record, (), {**a_census(), "write_ru": 1000})
    assert part["indexing"] == {"percent": 63, "seconds": 90.0, "estimated_ru": 100, "counted_ru": 7}
    assert table_report(a_record(), ())["indexing"] is None
    report = whole_report()
    page = render_report({**report, "tables": [{**report["tables"][0], "indexing": part["indexing"]}]})
    assert "63 % built in" in page
    assert "the service goes on with what the container's RU/s leave" in page.replace("&#39;", "'")
