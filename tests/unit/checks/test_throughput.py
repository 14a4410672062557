import pytest

from d2c.checks.cosmos.throughput import (
    PlannedThroughput,
    check_new_throughput,
    check_throughput,
    told_throughput,
)
from d2c.checks.findings import Findings
from d2c.clients.azure.cosmos.management import Throughput

from .fakes import finding

GB = 2**30
THING = "shop/music"


def planned(peak, create=None, after=400, size_gb=1, autoscale=False):
    scaling = {
        "before_ru_per_second": None,
        "create_ru_per_second": peak if create is None else create,
        "peak_ru_per_second": peak,
        "after_ru_per_second": after,
        "autoscale": autoscale,
    }
    return PlannedThroughput(scaling, size_gb * GB)


def found_for_new(of):
    findings = Findings("Cosmos DB")
    check_new_throughput(findings, THING, of)
    return findings.found


def test_a_new_containers_throughput_is_told_with_what_makes_its_partitions():
    assert told_throughput(planned(4_000)) == "4,000 RU/s for the load"
    assert told_throughput(planned(20_000, create=12_000)).startswith(
        "20,000 RU/s for the load (created with 12,000"
    )


def test_what_a_peak_leaves_behind_is_told_before():
    assert found_for_new(planned(40_000)) == []
    found = finding(found_for_new(planned(60_000, create=36_000)), "throughput afterwards")
    assert found.state == "warning"
    assert "at least 600 RU/s for ever, not 400" in found.finding
    # What the container is created with counts too, and so do its documents.
    assert (
        "2,000" in finding(found_for_new(planned(128_000, create=198_000)), "throughput afterwards").finding
    )
    large = found_for_new(planned(54_000, size_gb=900, after=600))
    assert "at least 900" in finding(large, "throughput afterwards").finding


def test_documents_that_need_more_partitions_than_a_cap_makes_are_warned_of():
    found = finding(found_for_new(planned(20_000, size_gb=300, after=1_000)), "partitions")
    assert found.state == "warning"
    assert "need 10 physical partitions and 20,000 RU/s make 4" in found.finding
    assert "to 60,000" in found.next_step


@pytest.mark.parametrize(
    ("wanted", "carried", "state"),
    [(10_000, 10_000, "ok"), (30_000, 30_000, "ok"), (30_100, 30_000, "warning")],
)
def test_an_existing_container_is_raised_at_once_as_far_as_its_partitions_carry(wanted, carried, state):
    findings = Findings("Cosmos DB")
    has = Throughput(1000, False, 400, False, carried)
    check_throughput(findings, THING, has, planned(wanted, create=0, after=1000))
    found = finding(findings.found, "throughput")
    assert found.state == state
    assert f"gets {wanted:,}" in found.finding


@pytest.mark.parametrize(
    ("verify", "told"), [(5_000, ", of which verify reads with 5,000 at most."), (None, "load.")]
)
def test_what_verify_takes_of_an_existing_container_is_told(verify, told):
    findings = Findings("Cosmos DB")
    wanted = planned(10_000, create=0, after=1000)._replace(verify_ru_per_second=verify)
    check_throughput(findings, THING, Throughput(1000, False, 400, False, 10_000), wanted)
    assert finding(findings.found, "throughput").finding.endswith(told)
