import pytest

from localcloud.arm.errors import ArmError
from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.management_plane.scaling import offer_content
from localcloud.cosmos.storage import throughput


def manual(ru, highest=None):
    content = {"offerThroughput": ru}
    return throughput.with_history(content, throughput.with_history({"offerThroughput": highest or ru}, None))


def autoscale(most, highest=None):
    of = lambda ru: {  # noqa: E731
        "offerThroughput": ru // 10,
        "offerAutopilotSettings": {"maxThroughput": ru},
    }
    return throughput.with_history(of(most), throughput.with_history(of(highest or most), None))


@pytest.mark.parametrize(
    ("content", "least"),
    [
        (manual(400), 400),
        (manual(400, highest=40_000), 400),
        (manual(400, highest=40_100), 500),
        (manual(1000, highest=1_000_000), 10_000),
        (autoscale(1000), 1000),
        (autoscale(4000, highest=10_000), 1000),
        (autoscale(4000, highest=11_000), 2000),
        ({"offerThroughput": 50_000}, 500),
    ],
)
def test_the_minimum_grows_with_the_highest_ever(content, least):
    assert throughput.minimum(content) == least


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (manual(400), 1),
        (manual(6_000), 1),
        (manual(6_100), 2),
        (manual(10_000, highest=6_000), 1),
        (manual(10_100, highest=6_000), 2),
        (manual(400, highest=95_000), 16),
        (autoscale(12_000), 2),
        ({"offerThroughput": 50_000}, 5),
    ],
)
def test_a_container_begins_with_a_partition_for_every_6000_ru_and_they_split_beyond_10000_each(
    content, count
):
    assert throughput.partitions(content) == count


def test_partitions_never_merge():
    grown = throughput.with_history({"offerThroughput": 25_000}, manual(6_000))
    lowered = throughput.with_history({"offerThroughput": 400}, grown)
    assert (throughput.partitions(grown), throughput.partitions(lowered)) == (3, 3)


@pytest.mark.parametrize(
    ("wanted", "before", "words"),
    [
        ({"offerThroughput": 400}, manual(1000, highest=50_000), "between 500 and 1000000"),
        (autoscale(1000), autoscale(4000, highest=20_000), "between 2000 and 1000000"),
        ({"offerThroughput": 4000}, autoscale(4000), "to manually provisioned throughput is not allowed"),
        (autoscale(4000), manual(4000), "to autoscale throughput is not allowed"),
    ],
)
def test_a_change_that_the_service_refuses_is_refused(wanted, before, words):
    with pytest.raises(CosmosError, match=words) as refused:
        throughput.check_change(wanted, before)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("wanted", "content"),
    [
        ({"throughput": 500}, {"offerThroughput": 500}),
        (
            {"autoscaleSettings": {"maxThroughput": 4000}},
            {"offerAutopilotSettings": {"maxThroughput": 4000}},
        ),
    ],
)
def test_throughput_is_manual_or_an_autoscale_maximum(wanted, content):
    assert offer_content(wanted) == content


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"throughput": "500"},
        {"throughput": 500, "autoscaleSettings": {"maxThroughput": 4000}},
        {"autoscaleSettings": {}},
        {"autoscaleSettings": {"maxThroughput": 4000, "autoUpgradePolicy": {}}},
    ],
)
def test_anything_else_is_refused(wanted):
    with pytest.raises(ArmError, match="Either throughput or autoscaleSettings"):
        offer_content(wanted)
