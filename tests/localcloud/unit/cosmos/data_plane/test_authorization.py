import base64
import hashlib
import hmac

import pytest

from localcloud.cosmos.data_plane.authorization import check_signature, sign
from localcloud.cosmos.errors import CosmosError

KEY = "a2V5"
DATE = "Tue, 01 Nov 1994 08:12:31 GMT"
CONTAINER = ["dbs", "d", "colls", "c"]
LINKS = [
    [],
    ["dbs"],
    ["dbs", "d"],
    [*CONTAINER, "docs"],
    [*CONTAINER, "docs", "a/b"],
]


def check(parts, signature, method="GET", date=DATE):
    check_signature(KEY, method, parts, {"authorization": signature, "x-ms-date": date})


@pytest.mark.parametrize(
    "parts", [*LINKS, ["offers", "aBc"], [*CONTAINER, "operations", "partitionkeydelete"]]
)
def test_what_the_key_signed_is_accepted(parts):
    check(parts, sign(KEY, "GET", parts, DATE))


@pytest.mark.parametrize("parts", LINKS)
def test_what_another_key_signed_or_was_signed_for_another_call_is_refused(parts):
    other_call = [*parts, "more"] if parts else ["dbs"]
    for wrong in (
        sign("b3RoZXI=", "GET", parts, DATE),
        sign(KEY, "PUT", parts, DATE),
        sign(KEY, "GET", other_call, DATE),
        sign(KEY, "GET", parts, "another date"),
        "",
        "type=master&ver=1.0&sig=",
        "type=aad&ver=1.0&sig=token",
    ):
        with pytest.raises(CosmosError) as caught:
            check(parts, wrong)
        assert caught.value.status == 401


def test_a_call_by_resource_id_is_signed_over_the_last_id_in_lower_case():
    by_name = sign(KEY, "GET", ["x", "y", "pkranges"], DATE)
    parts = ["dbs", "Ab==", "colls", "Cd==", "pkranges"]
    with pytest.raises(CosmosError):
        check(parts, by_name)
    check(parts, _over("pkranges", "cd=="))


def _over(kind, link):
    """Sign as an SDK does for a link that is a resource id."""
    text = f"get\n{kind}\n{link}\n{DATE.lower()}\n\n"
    digest = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    return f"type%3Dmaster%26ver%3D1.0%26sig%3D{base64.b64encode(digest).decode()}"
