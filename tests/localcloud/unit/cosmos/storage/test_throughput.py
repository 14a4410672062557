import pytest

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage import throughput


def manual(ru):
    return {"offerThroughput": ru}


def autoscale(ru):
    return {"offerAutopilotSettings": {"maxThroughput": ru}}


@pytest.mark.parametrize("content", [manual(400), manual(1_000_000), autoscale(1000), autoscale(1_000_000)])
def test_possible_throughput_is_accepted(content):
    assert throughput.ru_per_second(throughput.check_content(content)) in (400, 1000, 1_000_000)


@pytest.mark.parametrize(
    "content",
    [
        {},
        manual(399),
        manual(450),
        manual(1_000_100),
        manual("400"),
        manual(400.5),
        autoscale(500),
        autoscale(1500),
        autoscale(1_001_000),
        autoscale("4000"),
        {"offerAutopilotSettings": 5},
    ],
)
def test_impossible_throughput_is_refused(content):
    with pytest.raises(CosmosError) as caught:
        throughput.check_content(content)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ms-offer-throughput": "many"},
        {"x-ms-cosmos-offer-autopilot-settings": "{"},
        {"x-ms-cosmos-offer-autopilot-settings": "[]"},
    ],
)
def test_headers_that_ask_for_no_throughput_are_refused(headers):
    with pytest.raises(CosmosError) as caught:
        throughput.offer_content(headers)
    assert caught.value.status == 400


def test_headers_may_ask_for_nothing():
    assert throughput.offer_content({}) is None


def test_autoscale_starts_at_a_tenth_and_allows_all():
    content = throughput.check_content(autoscale(4000))
    assert (content["offerThroughput"], throughput.ru_per_second(content)) == (400, 4000)


@pytest.mark.parametrize(
    ("highest", "least"), [(400, 400), (40_000, 400), (50_000, 500), (50_100, 600), (1_000_000, 10_000)]
)
def test_the_highest_throughput_ever_sets_the_least(highest, least):
    once = throughput.with_history(throughput.check_content(manual(highest)), None)
    lowered = throughput.with_history(throughput.check_content(manual(least)), once)
    assert throughput.minimum(once) == throughput.minimum(lowered) == least
    throughput.check_change(manual(least), once)
    if least > 400:
        with pytest.raises(CosmosError):
            throughput.check_change(manual(least - 100), once)


def test_manual_and_autoscale_are_not_exchanged_for_each_other():
    with pytest.raises(CosmosError, match="autoscale"):
        throughput.check_change(throughput.check_content(autoscale(4000)), manual(400))
