import json

import httpx
import pytest

from d2c.mapping import REASONS
from tests.unit.cli.conftest import problem
from tests.unit.cli.samples import rejected_item

PATH = "/api/migrations/music-2026/rejected"


def page(*items, following=None):
    return {"rejected": list(items), "next": following}


def asked(service):
    return [dict(request.url.params) for request in service.requests]


def test_items_are_shown_with_place_reason_key_and_detail_and_without_contents(run, service):
    service.on("GET", PATH, page(rejected_item()))
    result = run("rejected", "music-2026")
    assert result.exit_code == 0
    row = next(line for line in result.stdout.splitlines() if line.split()[:1] == ["Music"])
    place, detail = "AWSDynamoDB/01/data/a.json.gz:7", "Year: 0.1234567890123456789 is not kept by binary64"
    assert [text.strip() for text in row.split("  ") if text.strip()] == [
        "Music", place, "inexact_number", "Artist=Nina", detail,
    ]  # fmt: skip
    assert result.stdout.splitlines()[-1] == "1 shown, no more."


def test_pages_are_read_to_the_limit_for_people_which_says_that_there_are_more(run, service):
    first = page(*(rejected_item(line) for line in range(1, 31)), following="a/b+c")
    second = page(*(rejected_item(line) for line in range(31, 51)), following="more")
    service.on("GET", PATH, first, second)
    result = run("rejected", "music-2026")
    assert asked(service) == [{"top": "50"}, {"top": "20", "token": "a/b+c"}]
    assert result.stdout.count("inexact_number") == 50
    assert "50 shown; there are more: use --limit N" in result.stdout


def test_json_gives_all_of_them_with_their_contents(run, service):
    items = [rejected_item(line) for line in range(1, 251)]
    service.on("GET", PATH, page(*items[:100], following="x"), page(*items[100:], following=None))
    result = run("rejected", "music-2026", "--json")
    assert asked(service) == [{"top": "100"}, {"top": "100", "token": "x"}]
    assert json.loads(result.stdout) == {"rejected": items, "next": None}


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_limit_holds_for_people_and_for_json(run, service, as_json):
    items = [rejected_item(line) for line in range(1, 121)]
    service.on("GET", PATH, page(*items[:100], following="x"), page(*items[100:], following="y"))
    result = run("rejected", "music-2026", "--limit", "120", *as_json)
    assert asked(service) == [{"top": "100"}, {"top": "20", "token": "x"}]
    if as_json:
        assert json.loads(result.stdout) == {"rejected": items, "next": "y"}
    else:
        assert "120 shown; there are more" in result.stdout


def test_an_empty_page_is_not_the_end_while_another_one_follows(run, service):
    service.on("GET", PATH, page(following="x"), page(rejected_item()))
    assert "1 shown, no more." in run("rejected", "music-2026", "--reason", "inexact_number").stdout


def test_table_and_reason_are_asked_of_the_app(run, service):
    service.on("GET", PATH, page())
    run("rejected", "music-2026", "--table", "Music", "--reason", "missing_key", "--limit", "1")
    assert asked(service) == [{"table": "Music", "reason": "missing_key", "top": "1"}]


def test_none_is_told_in_words_and_is_no_failure(run, service):
    service.on("GET", PATH, page())
    result = run("rejected", "music-2026")
    assert (result.exit_code, result.stdout) == (0, "There are no rejected items to show.\n")


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_mapping_can_be_asked_for(run, service, reason):
    service.on("GET", PATH, page())
    assert run("rejected", "music-2026", "--reason", reason).exit_code == 0


@pytest.mark.parametrize(
    "arguments", [[], ["music-2026", "--reason", "bad_luck"], ["music-2026", "--limit", "0"], ["a/b"]]
)
def test_what_cannot_be_asked_for_is_wrong_use_and_nothing_is_asked(run, service, arguments):
    assert (run("rejected", *arguments).exit_code, service.requests) == (2, [])


def test_an_unknown_reason_is_told_with_those_that_there_are(run):
    message = " ".join(run("rejected", "music-2026", "--reason", "bad_luck").stderr.split())
    assert all(reason in message for reason in REASONS)


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (None, " - "),
        ({"Artist": {"S": "Nina"}, "Year": {"N": "1964"}}, "Artist=Nina, Year=1964"),
        ({"Artist": {"BOOL": True}}, 'Artist={"BOOL": true}'),
        ({"Artist": {"S": "a", "N": "1"}}, 'Artist={"S": "a", "N": "1"}'),
        ({"Artist": 5}, "Artist=5"),
        ({"Artist": {"S": "[red]x"}}, "Artist=[red]x"),
        ({"Artist": {"S": "a\x1b[31m\nb\ud800"}}, r"Artist=a\x1b[31m\nb\ud800"),
        ({"Artist": {"S": "\u00e9\U0001f3b5"}}, "Artist=\u00e9\U0001f3b5"),
    ],
)
def test_keys_of_any_shape_are_shown_and_cannot_steer_the_terminal(run, service, keys, shown):
    # As ASCII, for a lone surrogate has no UTF-8.
    service.on("GET", PATH, httpx.Response(200, content=json.dumps(page(rejected_item(keys=keys)))))
    assert shown in run("rejected", "music-2026").stdout


def test_a_long_key_is_cut_for_people_and_whole_in_json(run, service):
    item = rejected_item(keys={"Artist": {"S": "x" * 2000}})
    service.on("GET", PATH, page(item))
    assert run("rejected", "music-2026").stdout.count("x") < 150
    assert json.loads(run("rejected", "music-2026", "--json").stdout)["rejected"] == [item]


def test_an_item_of_any_text_is_given_in_json(run, service):
    item = rejected_item(item='{"Item": \\ud800 \x1b', keys=None, reason="malformed_line")
    service.on("GET", PATH, page(item))
    assert json.loads(run("rejected", "music-2026", "--json").stdout)["rejected"] == [item]


def test_a_problem_on_a_later_page_ends_the_list_with_its_error(run, service):
    service.on("GET", PATH, page(rejected_item(), following="x"), problem(404))
    result = run("rejected", "music-2026", "--json")
    assert result.exit_code == 1
    assert set(json.loads(result.stdout)) == {"error"}
