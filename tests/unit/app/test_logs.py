import asyncio
import logging

import pytest

from d2c.app.logs import current_fields, log_fields
from tests.unit.conftest import SECRET

logger = logging.getLogger("d2c.somewhere")


def test_a_line_carries_the_fields_of_its_place_and_of_those_around_it(lines):
    with log_fields(migration="m", table="Music"), log_fields(stage="copy", run_key=None):
        logger.warning("%s is slow", "it")
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "d2c.somewhere",
        "message": "it is slow",
        "migration": "m",
        "table": "Music",
        "stage": "copy",
    }


def test_an_sdks_own_line_carries_them_too(lines):
    with log_fields(migration="m"):
        logging.getLogger("azure.core").warning("retrying")
    assert lines()[0]["migration"] == "m"


@pytest.mark.parametrize(
    "name",
    [
        "azure.core.pipeline.policies.http_logging_policy",
        "azure.cosmos._cosmos_http_logging_policy",
        "azure.identity._internal.get_token_mixin",
        "azure.monitor.opentelemetry.exporter.export._base",
        "botocore.credentials",
    ],
)
def test_an_sdk_that_tells_of_each_request_is_quiet_until_it_warns(lines, name):
    logging.getLogger(name).info("Request URL: 'https://lake'")
    logging.getLogger(name).warning("retrying")
    assert [line["message"] for line in lines()] == ["retrying"]


def test_fields_end_where_their_place_ends_even_by_an_error(lines):
    try:
        with log_fields(migration="m"):
            raise ValueError("odd")
    except ValueError:
        logger.info("after")
    assert "migration" not in lines()[0]
    assert not current_fields()


async def test_what_runs_side_by_side_has_fields_of_its_own(lines):
    async def work(name, both):
        with log_fields(migration=name):
            await both.wait()
            await asyncio.to_thread(logger.info, "of %s", name)

    both = asyncio.Barrier(2)
    await asyncio.gather(work("a", both), work("b", both))
    assert sorted((line["migration"], line["message"]) for line in lines()) == [("a", "of a"), ("b", "of b")]


def test_no_line_holds_a_secret_by_its_look_or_by_the_settings(lines):
    logger.info("GET %s with %s", "https://lake/a?sig=c2ln", {"Authorization": "Bearer abc"})
    logger.info("the key is %s, or so", SECRET)
    try:
        raise ValueError(f"AccountKey={SECRET};and {SECRET}")
    except ValueError:
        logger.exception("it broke")
    text = str(lines())
    assert "https://lake/a?sig=***" in text
    assert "ValueError: AccountKey=***" in text
    for secret in ("c2ln", "Bearer abc", SECRET):
        assert secret not in text


def test_a_stack_trace_stays_on_the_line_of_its_record(lines):
    try:
        raise ValueError("odd")
    except ValueError:
        logger.exception("it broke")
    (line,) = lines()
    assert line["message"] == "it broke"
    assert line["exception"].splitlines()[-1] == "ValueError: odd"


def test_half_a_surrogate_pair_of_a_foreign_name_is_told_in_a_form_that_every_handler_writes(lines):
    logging.getLogger("d2c").warning("The plan %s is refused", "plans/\ud800.json")
    assert lines()[-1]["message"] == "The plan plans/\\ud800.json is refused"
