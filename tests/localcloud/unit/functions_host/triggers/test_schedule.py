from datetime import UTC, datetime

import pytest

from localcloud.functions_host.app import AppError
from localcloud.functions_host.triggers.schedule import Schedule


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("*/5 * * * * *", "2026-01-01T10:00:05"),
        ("0 */5 * * * *", "2026-01-01T10:05:00"),
        ("0 30 22 * * *", "2026-01-01T22:30:00"),
        ("0 0 6 * * Mon-Fri", "2026-01-02T06:00:00"),
        ("0 0 6 1,15 JAN *", "2026-01-15T06:00:00"),
        # Both must fit, unlike cron's: the first first of a month that is a Sunday.
        ("0 0 0 1 * 0", "2026-02-01T00:00:00"),
    ],
)
def test_the_next_occurrence_is_found(expression, following):
    assert Schedule(expression).after(moment("2026-01-01T10:00:02.5")) == moment(following)


def test_an_occurrence_is_not_after_itself():
    schedule = Schedule("0 0 * * * *")
    assert schedule.after(moment("2026-01-01T10:00:00")) == moment("2026-01-01T11:00:00")


@pytest.mark.parametrize(
    "expression",
    [
        "*/5 * * * *",
        "00:05:00",
        "",
        "0 0 0 L * *",
        "0 0 0 * * 7",
        "0 0 0 * * 1#2",
        "0 0 0 ? * *",
        "H * * * * *",
        "61 * * * * *",
        "0 0 0 31 2 *",
        "0 0 0 1 1 * 2026",
    ],
)
def test_what_is_no_ncrontab_expression_is_refused(expression):
    with pytest.raises(AppError, match="is no NCRONTAB expression"):
        Schedule(expression)


@pytest.mark.parametrize(
    ("expression", "often"),
    [("*/5 * * * * *", True), ("0,30 * * * * *", True), ("0 * * * * *", False), ("*/5 0 * * * *", False)],
)
def test_what_comes_more_than_once_a_minute_is_known(expression, often):
    assert Schedule(expression).within_a_minute(moment("2026-01-01T10:00:02")) is often
