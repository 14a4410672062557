from datetime import UTC, datetime, timedelta

from d2c.report.contents import ended_stages


def begun(**ahead):
    started_at = datetime.now(UTC) + timedelta(**ahead)
    return {"stage": "report", "state": "running", "started_at": started_at.isoformat()}


def test_the_stage_that_writes_the_report_ends_with_it():
    (stage,) = ended_stages([begun(seconds=-30)])
    assert stage["state"] == "succeeded"
    assert 30 <= stage["seconds"] < 60


def test_no_stage_took_less_than_no_time_where_the_clock_of_its_start_is_ahead():
    assert ended_stages([begun(seconds=30)])[0]["seconds"] == 0
