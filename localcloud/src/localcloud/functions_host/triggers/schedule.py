"""Schedules of timer triggers: NCRONTAB expressions with six fields, in UTC.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re

from croniter import croniter
from croniter.croniter import CroniterError

from localcloud.functions_host.app import AppError

MINUTE_SECONDS = 60
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DAYS = "sun|mon|tue|wed|thu|fri|sat"
# What a value may be in each field: croniter takes more than NCRONTAB does.
VALUES = (r"\d+", r"\d+", r"\d+", r"\d+", rf"\d+|{MONTHS}", rf"[0-6]|{DAYS}")


class Schedule:
    """When a timer fires.

    Args:
        expression: second, minute, hour, day, month and day of the week.

    Raises:
        AppError: if it is not such an expression, or never comes.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        fields = expression.split()
        if len(fields) != len(VALUES):
            raise _refused(
                expression,
                "it must have six fields: second, minute, hour, day, month and day of the week",
            )
        for field, value in zip(fields, VALUES, strict=True):
            if not _field(value).fullmatch(field):
                raise _refused(expression, f"{field!r} is not understood")
        try:
            self.after(0.0)
        except CroniterError as error:
            raise _refused(expression, str(error)) from error

    def after(self, moment: float) -> float:
        """Return the first occurrence after a moment, both in epoch seconds."""
        # NCRONTAB wants the day and the day of the week both to fit; cron wants one of them.
        found = croniter(self.expression, moment, second_at_beginning=True, day_or=False)
        return float(found.get_next(float))

    def within_a_minute(self, moment: float) -> bool:
        """Return whether it comes more than once a minute, all the time: Azure does not remember those."""
        every_minute = all(field == "*" for field in self.expression.split()[1:])
        second = self.after(self.after(moment))
        return every_minute and second <= moment + MINUTE_SECONDS


def _field(value: str) -> re.Pattern[str]:
    """Return what a field looks like: a list of values and ranges, or a star, each with a step or without."""
    part = rf"(\*|({value})(-({value}))?)(/\d+)?"
    return re.compile(f"{part}(,{part})*", re.IGNORECASE)


def _refused(expression: str, cause: str) -> AppError:
    return AppError(f"The schedule {expression!r} is no NCRONTAB expression: {cause}.")
