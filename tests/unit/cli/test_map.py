import gzip
import io
import json

import pytest


def line(**attributes):
    """Return one item as a data file holds it."""
    return json.dumps({"Item": attributes}).encode() + b"\n"


GOOD = line(Artist={"S": "Nina"}, Year={"N": "1964"})
OTHER = line(Artist={"S": "Miles"}, Year={"N": "1.50"})
NO_KEY = line(Year={"N": "1964"})


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file and returns its path as text."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return str(path)

    return write


def documents(result):
    return [json.loads(text) for text in result.stdout.splitlines()]


def counts(result):
    return json.loads(result.stderr.splitlines()[-1])


def test_documents_come_in_input_order_and_the_counts_come_last_on_standard_error(run):
    result = run("map", "--keys", "Artist", input=GOOD + OTHER)
    assert result.exit_code == 0
    assert documents(result) == [
        {"id": "Nina", "Artist": "Nina", "Year": 1964},
        {"id": "Miles", "Artist": "Miles", "Year": 1.5},
    ]
    assert counts(result) == {"items": 2, "documents": 2, "rejected": 0, "expired": 0}


def test_compressed_and_plain_files_and_standard_input_are_read_one_after_the_other(run, file):
    packed, plain = file("1.json.gz", gzip.compress(GOOD)), file("2.json", OTHER)
    result = run("map", "--keys", "Artist", packed, plain, "-", input=GOOD)
    assert [document["id"] for document in documents(result)] == ["Nina", "Miles", "Nina"]


@pytest.mark.parametrize("keys", ["Artist,Year", '["Artist", "Year"]'])
def test_keys_are_names_with_a_comma_or_a_json_array(run, keys):
    result = run("map", "--keys", keys, input=GOOD)
    assert documents(result)[0]["id"] == "1964"


def test_a_name_with_a_comma_is_given_in_a_json_array(run):
    result = run("map", "--keys", '["a,b"]', input=line(**{"a,b": {"S": "x"}}))
    assert documents(result) == [{"id": "x", "a,b": "x"}]


def test_a_rejected_item_goes_to_standard_error_and_makes_the_exit_status_3(run):
    result = run("map", "--keys", "Artist", input=GOOD + NO_KEY)
    assert result.exit_code == 3
    assert len(documents(result)) == 1
    rejected = json.loads(result.stderr.splitlines()[0])
    assert (rejected["file"], rejected["line"], rejected["reason"]) == ("-", 2, "missing_key")
    assert rejected["item"] == {"Year": {"N": "1964"}}
    assert counts(result) == {"items": 2, "documents": 1, "rejected": 1, "expired": 0}


def test_rejected_items_go_to_the_file_that_is_named(run, file, tmp_path):
    data, rejected = file("data.json", NO_KEY), tmp_path / "rejected.json"
    result = run("map", "--keys", "Artist", "--rejected", str(rejected), data)
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1
    assert json.loads(rejected.read_bytes())["file"] == data


def test_rules_from_a_file_are_applied(run, file):
    rules = file("rules.json", b'{"rename": {"Year": "y"}, "set": {"kind": "song"}}')
    result = run("map", "--keys", "Artist", "--rules", rules, input=GOOD)
    assert documents(result) == [{"id": "Nina", "Artist": "Nina", "y": 1964, "kind": "song"}]


def test_items_past_their_time_to_live_are_counted_and_not_written(run):
    items = line(Artist={"S": "a"}, until={"N": "1000"}) + line(Artist={"S": "b"}, until={"N": "1700000100"})
    result = run("map", "--keys", "Artist", "--ttl-attribute", "until", "--now", "1700000000", input=items)
    assert result.exit_code == 0
    assert [document.get("ttl") for document in documents(result)] == [None, 100]
    expired = line(Artist={"S": "c"}, until={"N": "1699999999"})
    result = run("map", "--keys", "Artist", "--ttl-attribute", "until", "--now", "1700000000", input=expired)
    assert counts(result) == {"items": 1, "documents": 0, "rejected": 0, "expired": 1}


def explained(result):
    return result.stderr.splitlines()[:-1]


def test_explaining_tells_of_each_rule_that_acted_how_often_and_the_first_place(run, file):
    rules = file("rules.json", b'{"drop": ["Year"], "set": {"kind": "song"}, "rename": {"Label": "l"}}')
    result = run("map", "--keys", "Artist", "--rules", rules, "--explain", input=GOOD + OTHER + GOOD)
    assert explained(result) == [
        "drop: 3 times, first: Year omitted (-, line 1)",
        "set: 3 times, first: kind added as 'song' (-, line 1)",
    ]


def test_explaining_tells_of_rules_that_kept_an_item_from_becoming_a_document(run, file):
    rules = file("rules.json", b'{"numbers": "reject"}')
    expired = line(Artist={"S": "a"}, until={"N": "1699999999"})
    inexact = line(Artist={"S": "b"}, Year={"N": "0.12345678901234567890123"})
    options = ["--ttl-attribute", "until", "--now", "1700000000", "--rejected", file("rejected", b"")]
    result = run("map", "--keys", "Artist", "--rules", rules, "--explain", *options, input=expired + inexact)
    ttl, numbers = explained(result)
    assert ttl == "ttl: 1 time, first: until expired at 1699999999, so the item is not written (-, line 1)"
    assert numbers.startswith("numbers: reject: 1 time, first: the item is rejected: ")
    assert numbers.endswith("(-, line 2)")


def test_explaining_says_nothing_of_items_that_no_rule_touched(run):
    assert explained(run("map", "--keys", "Artist", "--explain", input=GOOD)) == []


def test_rules_are_read_from_standard_input_where_the_data_is_not(run, file):
    result = run(
        "map", "--keys", "Artist", "--rules", "-", file("data.json", GOOD), input='{"drop": ["Year"]}'
    )
    assert documents(result) == [{"id": "Nina", "Artist": "Nina"}]
    assert run("map", "--keys", "Artist", "--rules", "-", input='{"drop": ["Year"]}').exit_code == 2


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (b'{"drop": ["Artist"], "colour": 1}', "colour"),
        (b"{", "is not JSON"),
        (b'{"drop": [], "drop": []}', "occurs twice"),
        (b"[]", "invalid rules"),
    ],
)
def test_impossible_rules_are_told_all_at_once_and_make_the_exit_status_2(run, file, rules, told):
    result = run("map", "--keys", "Artist", "--rules", file("rules.json", rules), input=GOOD)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_each_fault_of_impossible_rules_has_its_line(run, file):
    rules = file("rules.json", b'{"numbers": "guess", "colour": 1}')
    result = run("map", "--keys", "Artist", "--rules", rules, input=GOOD)
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(text.startswith("invalid rules: ") for text in lines)


@pytest.mark.parametrize("keys", ["", "a,b,c", "a,a", "a,", "[1]", "[", "[]"])
def test_impossible_keys_are_wrong_use(run, keys):
    assert run("map", "--keys", keys, input=GOOD).exit_code == 2


@pytest.mark.parametrize(
    "arguments", [["--rules", "missing.json"], ["--rejected", "missing/rejected.json"], ["--now", "soon"]]
)
def test_options_that_cannot_be_followed_are_wrong_use(run, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert run("map", "--keys", "Artist", *arguments, input=GOOD).exit_code == 2


def test_keys_are_required(run):
    assert run("map", input=GOOD).exit_code == 2


def test_a_file_that_breaks_off_is_named_after_what_could_be_read(run, file):
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb") as stream:
        stream.write(GOOD * 1000)
    broken = file("broken.json.gz", content.getvalue()[:-6])
    good = file("good.json", OTHER)
    result = run("map", "--keys", "Artist", broken, good)
    assert result.exit_code == 1
    assert [document["id"] for document in documents(result)] == ["Nina"] * 1000 + ["Miles"]
    fault, last = result.stderr.splitlines()
    assert fault.startswith(f"{broken}: cannot be read completely")
    assert json.loads(last)["documents"] == 1001


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_opened_is_named(run, tmp_path, name):
    path = str(tmp_path / name)
    result = run("map", "--keys", "Artist", path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{path}: cannot be read completely (")


def test_what_only_claims_to_be_compressed_is_named(run, file):
    result = run("map", "--keys", "Artist", file("plain.json.gz", GOOD))
    assert result.exit_code == 1
    assert "has no gzip header" in result.stderr


def test_an_unreadable_file_weighs_more_than_a_rejected_item(run, tmp_path):
    result = run("map", "--keys", "Artist", "-", str(tmp_path / "missing"), input=NO_KEY)
    assert result.exit_code == 1


def test_one_empty_line_at_the_end_is_nothing_and_one_within_is_rejected(run):
    assert counts(run("map", "--keys", "Artist", input=GOOD + b"\n"))["items"] == 1
    result = run("map", "--keys", "Artist", input=GOOD + b"\n" + OTHER)
    assert counts(result) == {"items": 3, "documents": 2, "rejected": 1, "expired": 0}
