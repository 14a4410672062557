import re

import pytest

from tests.unit.clients.outside_calls import outside_calls
from tests.unit.clients.test_shapes import SHAPES
from tests.unit.pages import ROOT, codes, table_rows, text_of

PAGE = text_of("develop/outside-calls.md")
SYSTEMS = re.findall(r"^(## .+)$", PAGE, re.MULTILINE)
ROWS = [row for system in SYSTEMS for row in table_rows(PAGE, system) if len(row) == 5]
IDS = [codes(row[0])[0] for row in ROWS]


def test_the_page_has_every_call_of_the_clients_and_no_other():
    assert sorted(IDS) == sorted(outside_calls())


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_call_has_a_source_and_a_test_that_holds_it_against_the_service(row):
    call, request, source, covered, _ = row
    assert re.fullmatch(r"<https://[^>]+>", source)
    if covered == "shape of its name":
        (name,) = codes(call)
        assert source == f"<{SHAPES[name]['source']}>"
        method = codes(request)[0].split()[0]
        assert method in {exchange["request"]["method"] for exchange in SHAPES[name]["exchanges"]}
    elif covered.startswith("shape"):
        assert codes(covered)[0] in SHAPES
    else:
        assert (ROOT / covered).is_file()


def test_no_real_account_has_seen_a_call_without_the_page_saying_when():
    seen = {row[4] for row in ROWS}
    assert all(text == "no" or re.fullmatch(r"20\d\d-\d\d-\d\d", text) for text in seen)
    assert ("**No real account has seen any of these calls yet.**" in PAGE) == (seen == {"no"})


def test_the_extraction_sees_a_call_through_an_alias_and_one_of_a_paginator():
    assert {
        "azure.lake: append_block",
        "aws.s3: list_objects_v2",
        "azure.data_factory: pipeline_runs.get",
    } <= outside_calls()
