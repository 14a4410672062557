"""What the app logs in a fuzzer is made as on Azure; and what each test has tried is told where that is many inputs."""

import logging

import pytest

from d2c.app.logs import StructuredRecord
from tests.fuzz import fuzzing

TRIED = "inputs and slowest"


@pytest.fixture(scope="session", autouse=True)
def structured_records():
    """Have every record redacted, bounded and fit for UTF-8."""
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(StructuredRecord)
    yield
    logging.setLogRecordFactory(factory)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Keep what a test has tried with its report, which another process may write."""
    tried = fuzzing.TRIED
    tried.inputs, tried.slowest = 0, 0.0
    try:
        return (yield)
    finally:
        item.user_properties.append((TRIED, (tried.inputs, tried.slowest)))


def pytest_terminal_summary(terminalreporter):
    """Tell what each test has tried, if it is more than `make test` tries."""
    if fuzzing.INPUTS <= fuzzing.BATCH:
        return
    terminalreporter.section("inputs, processor seconds of the slowest, seconds of all")
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    for report in sorted(reports, key=lambda each: each.nodeid):
        inputs, slowest = dict(report.user_properties).get(TRIED, (0, 0.0))
        if inputs:
            terminalreporter.line(f"{inputs:7,} {slowest:6.3f} {report.duration:6.0f} {report.nodeid}")
