"""What the app logs in a fuzzer is made as on Azure."""

import logging

import pytest

from d2c.app.logs import StructuredRecord


@pytest.fixture(scope="session", autouse=True)
def structured_records():
    """Have every record redacted, bounded and fit for UTF-8."""
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(StructuredRecord)
    yield
    logging.setLogRecordFactory(factory)
