import pytest

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage.indexing import check_policy

ROOT = {"excludedPaths": [{"path": "/*"}]}


def composite(*paths, **more):
    return {**ROOT, "compositeIndexes": [[{"path": path, **more} for path in paths]]}


@pytest.mark.parametrize(
    ("policy", "ttl"),
    [
        ({}, -1),
        ({"indexingMode": "none", "automatic": False}, None),
        ({"indexingMode": "consistent", "includedPaths": [{"path": "/*"}]}, -1),
        (
            {
                "indexingMode": "Consistent",
                **ROOT,
                "includedPaths": [{"path": '/"a b"/?'}, {"path": "/a/[]/*"}],
            },
            -1,
        ),
        (composite("/a", '/"b c"'), -1),
        (composite(*(f"/{name}" for name in "abcdefgh"), order="descending"), None),
    ],
)
def test_a_policy_that_the_service_documents_is_taken(policy, ttl):
    check_policy(policy, ttl)


@pytest.mark.parametrize(
    ("policy", "ttl", "told"),
    [
        ("none", None, "not a JSON object"),
        ({"indexingMode": "eager"}, None, "mode eager"),
        ({"indexingMode": "none"}, -1, "DefaultTimeToLive"),
        ({"includedPaths": [{"path": "/a/?"}]}, None, "special mandatory indexing path"),
        ({**ROOT, "includedPaths": [{"path": "/a"}]}, None, "'/a' could not be accepted"),
        ({**ROOT, "includedPaths": [{"path": "/a b/?"}]}, None, "could not be accepted"),
        ({**ROOT, "includedPaths": [{"path": 7}]}, None, "could not be accepted"),
        ({**ROOT, "includedPaths": [{"path": "/*"}]}, None, "twice"),
        (
            {**ROOT, "includedPaths": [{"path": f"/a{number}/?"} for number in range(1501)]},
            None,
            "at most 1500",
        ),
        (composite("/a"), None, "one has 1"),
        (composite(*(f"/{name}" for name in "abcdefghi")), None, "one has 9"),
        (composite("/a/?", "/b"), None, "'/a/?' could not be accepted"),
        (composite("/a", "/b", order="up"), None, "not up"),
    ],
)
def test_a_policy_that_no_container_can_have_is_refused(policy, ttl, told):
    with pytest.raises(CosmosError, match=told.replace("?", r"\?")) as refused:
        check_policy(policy, ttl)
    assert refused.value.status == 400
