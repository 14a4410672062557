import pytest

from d2c.mapping import Document, Expired, ttl_fits

from .helpers import NOW, document_of, map_item, n, s

FIVE_YEARS = 5 * 365 * 24 * 60 * 60
MOST = 2_147_483_647


def item(until):
    return {"pk": s("p"), "sk": s("s"), "until": until}


@pytest.mark.parametrize(
    ("until", "ttl"),
    [
        (f"{NOW + 1}", 1),
        (f"{NOW + 1}.9", 1),
        (f"{NOW + MOST}", MOST),
        (f"{NOW + MOST + 1}", MOST),
        ("9.9E+125", MOST),
    ],
)
def test_ttl_is_the_remaining_seconds_up_to_the_limit(until, ttl):
    document = document_of(item(n(until)), ttl_attribute="until")
    assert document["ttl"] == ttl
    assert "until" in document


@pytest.mark.parametrize("until", [f"{NOW}", f"{NOW}.5", f"{NOW - 1}", f"{NOW - FIVE_YEARS}"])
def test_an_item_with_nothing_left_is_expired(until):
    assert isinstance(map_item(item(n(until)), ttl_attribute="until"), Expired)


@pytest.mark.parametrize(
    "until",
    [
        n(f"{NOW - FIVE_YEARS - 1}"),
        n(f"{NOW - FIVE_YEARS - 1}.5"),
        n("0"),
        n("-5"),
        s("1800000100"),
        {"NULL": True},
    ],
)
def test_a_value_that_dynamodb_ignores_gives_no_ttl(until):
    mapped = map_item(item(until), ttl_attribute="until")
    assert isinstance(mapped, Document)
    assert mapped.expires_at is None
    assert b'"ttl"' not in mapped.body


def test_an_item_without_the_attribute_gets_no_ttl():
    assert "ttl" not in document_of({"pk": s("p"), "sk": s("s")}, ttl_attribute="until")


def test_the_time_of_expiry_is_returned_with_the_document():
    mapped = map_item(item(n(f"{NOW + 90}")), ttl_attribute="until")
    assert isinstance(mapped, Document)
    assert mapped.expires_at == NOW + 90


def test_a_moment_beyond_all_bounds_still_fits_a_64_bit_column():
    mapped = map_item(item(n("9.9E+125")), ttl_attribute="until")
    assert isinstance(mapped, Document)
    assert mapped.expires_at == 2**53


def test_a_dropped_attribute_still_gives_ttl():
    document = document_of(item(n(f"{NOW + 9}")), {"drop": ["until"]}, ttl_attribute="until")
    assert document == {"pk": "p", "sk": "s", "id": "s", "ttl": 9}


@pytest.mark.parametrize("until", [n("x"), {"N": 5}, {"ZZ": "5"}, 5, None, {}, {"N": "5", "S": "5"}])
def test_a_dropped_attribute_that_is_not_a_number_is_ignored(until):
    document = document_of(item(until), {"drop": ["until"]}, ttl_attribute="until")
    assert document == {"pk": "p", "sk": "s", "id": "s"}


def test_the_rule_off_writes_items_that_dynamodb_would_delete():
    document = document_of(item(n("5")), {"ttl": "off"}, ttl_attribute="until")
    assert document == {"pk": "p", "sk": "s", "id": "s", "until": 5}


def test_an_attribute_called_ttl_is_kept_under_another_name():
    document = document_of({"pk": s("p"), "sk": s("s"), "ttl": n(f"{NOW + 9}")}, ttl_attribute="ttl")
    assert document == {"pk": "p", "sk": "s", "id": "s", "ttl": 9, "dynamodb_ttl": NOW + 9}


def test_the_attribute_that_is_renamed_still_gives_ttl():
    document = document_of(item(n(f"{NOW + 9}")), {"rename": {"until": "expiry"}}, ttl_attribute="until")
    assert (document["ttl"], document["expiry"]) == (9, NOW + 9)


@pytest.mark.parametrize(
    ("ttl", "written_at", "expires_at", "fits"),
    [
        (None, 1000, None, True),
        (5, 1000, None, False),
        (None, 1000, 1005, False),
        (5, 1000, 1005, True),
        (5, 1060, 1005, True),
        (5, 1061, 1005, False),
        (5, 900, 1005, False),
        (MOST, 1000, 1000 + MOST, True),
        (MOST, 1000, 2**53, True),
        (MOST, 1060, 1000 + MOST, True),
        (MOST, 1061, 1000 + MOST, False),
        (MOST, 1000, 1000, False),
    ],
)
def test_a_stored_ttl_fits_when_it_ends_with_the_attribute(ttl, written_at, expires_at, fits):
    assert ttl_fits(ttl, written_at, expires_at, tolerance_seconds=60) is fits
