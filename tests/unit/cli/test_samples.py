"""What the tests of the command line take for the app's answers is what the app's document says."""

import pytest

from tests.api_document import check_answer
from tests.unit.cli.samples import (
    EXPORT_FAILED,
    OPERATION_FAILED,
    arrived,
    going,
    migration,
    operation,
    rejected_item,
    table,
)

JSON = "application/json"


@pytest.mark.parametrize(
    "status",
    [
        migration("running", table(), going()),
        migration("failed", table(state="failed", error=EXPORT_FAILED), error=OPERATION_FAILED),
        migration("succeeded", arrived(), operations=[operation("verify", "failed", 1, OPERATION_FAILED)]),
    ],
)
def test_a_status(status):
    check_answer("GET", "/api/migrations/music-2026", 200, JSON, status)


def test_rejected_items():
    page = {"rejected": [rejected_item()], "next": None}
    check_answer("GET", "/api/migrations/music-2026/rejected", 200, JSON, page)
