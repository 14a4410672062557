import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.export_format import (
    ExportFormatError,
    UnfinishedExportError,
    WrongExportError,
    read_export_manifest,
)
from d2c.export_format.manifest import MANIFEST_FILES, md5_base64, parse_file_list, parse_summary

TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders-demo"
ID = "01780000000123-a1b2c3d4"
EXPORT = f"{TABLE}/export/{ID}"
SUMMARY = {
    "version": "2020-06-30",
    "exportArn": EXPORT,
    "tableArn": TABLE,
    "billedSizeBytes": 0,
    "itemCount": 3,
    "outputFormat": "DYNAMODB_JSON",
}


def entry(name, items=3, **changes):
    key = f"some/prefix/AWSDynamoDB/{ID}/data/{name}"
    return {
        "itemCount": items,
        "md5Checksum": "h9o6vlnDX85MIn3j18z9fg==",
        "etag": "x-1",
        "dataFileS3Key": key,
        **changes,
    }


def files(summary=None, entries=None):
    summary = json.dumps({**SUMMARY, **(summary or {})}).encode()
    listed = "".join(
        json.dumps(line) + "\n"
        for line in ([entry("a.json.gz"), entry("b.json.gz", 0)] if entries is None else entries)
    ).encode()
    return {
        "manifest-summary.json": summary,
        "manifest-summary.md5": md5_base64(summary).encode(),
        "manifest-files.json": listed,
        "manifest-files.md5": md5_base64(listed).encode(),
    }


def read(content):
    return read_export_manifest(content.__getitem__, export_arn=EXPORT, table_arn=TABLE)


def test_a_manifest_has_the_exports_items_and_files():
    manifest = read(files())
    assert manifest.summary.item_count == 3
    assert [(file.name, file.item_count) for file in manifest.files] == [("a.json.gz", 3), ("b.json.gz", 0)]


def test_the_exports_origin_is_read_and_may_be_missing():
    origin = {"exportTime": "2026-06-01T12:00:00.000Z", "s3Bucket": "exports", "s3Prefix": "some/prefix"}
    for fields, wanted in ((origin, tuple(origin.values())), ({}, ("", "", ""))):
        summary = parse_summary(json.dumps({**SUMMARY, **fields}).encode())
        assert (summary.export_time, summary.s3_bucket, summary.s3_prefix) == wanted


def test_an_empty_line_of_the_list_has_a_number_but_no_file():
    line = json.dumps(entry("a")).encode()
    assert [file.name for file in parse_file_list(b"\n" + line, ID)] == ["a"]
    with pytest.raises(ExportFormatError, match="line 3 lists a a second time"):
        parse_file_list(b"\n".join((b"", line, line)), ID)


@pytest.mark.parametrize("text", [b"[]", b"1", b"null"])
@pytest.mark.parametrize("parse", [parse_summary, lambda text: parse_file_list(text, ID)])
def test_json_that_is_no_object_is_refused(parse, text):
    with pytest.raises(ExportFormatError, match="not a JSON object"):
        parse(text)


@pytest.mark.parametrize("name", MANIFEST_FILES)
def test_a_changed_or_cut_off_manifest_file_is_found_by_its_md5(name):
    content = files()
    with pytest.raises(ExportFormatError, match="MD5"):
        read({**content, name: content[name][:-2]})


@pytest.mark.parametrize(
    ("summary", "entries", "named"),
    [
        ({"exportArn": EXPORT + "x"}, None, "instead of arn:aws"),
        ({"tableArn": TABLE + "x"}, None, "is of"),
        ({"itemCount": 4}, None, "lists 3 items"),
        ({"itemCount": "3"}, None, "itemCount"),
        ({"itemCount": -1}, None, "itemCount"),
        ({"itemCount": 2**64}, None, "itemCount"),
        ({"version": "2024-01-01"}, None, "full export"),
        ({"exportTime": "yesterday"}, None, "exportTime"),
        ({"exportTime": "2026-06-01T12:00:00"}, None, "exportTime"),
        ({"s3Bucket": ["b"]}, None, "s3Bucket"),
        (None, [entry("a"), entry("a", 0)], "a second time"),
        (None, [entry("a", dataFileS3Key="x/AWSDynamoDB/data/a")], "own data folder"),
        (None, [entry("a", md5Checksum=None)], "md5Checksum"),
        (None, [entry("a", itemCount=True)], "itemCount"),
        *((None, [entry(name)], "data file") for name in ("", "..", "a\\b", "a b", "ä", "\x00", "a" * 256)),
    ],
)
def test_a_manifest_of_something_else_is_refused_in_words(summary, entries, named):
    with pytest.raises(ExportFormatError, match=named):
        read(files(summary, entries))


@pytest.mark.parametrize(
    ("summary", "named", "title"),
    [
        ({"outputFormat": "ION"}, "Amazon Ion", "The export is in Amazon Ion"),
        (
            {"version": "2023-08-01", "exportType": "INCREMENTAL_EXPORT"},
            "incremental export",
            "The export is incremental",
        ),
    ],
)
def test_a_sound_export_of_another_kind_is_called_what_it_is_and_not_damaged(summary, named, title):
    with pytest.raises(WrongExportError, match=named) as caught:
        parse_summary(json.dumps({**SUMMARY, **summary}).encode())
    assert caught.value.title == title
    assert "sound" in caught.value.detail
    assert "DYNAMODB_JSON" in caught.value.next_step


@pytest.mark.parametrize(
    "field", ["exportArn", "tableArn", "version", "outputFormat", "exportTime", "itemCount"]
)
def test_what_others_wrote_is_quoted_in_part_only(field):
    with pytest.raises(ExportFormatError) as caught:
        read(files({field: "-eyJ" * 16_000}))
    assert len(str(caught.value)) < 700


def test_a_checksum_that_does_not_hold_may_be_that_of_a_file_that_is_still_written():
    with pytest.raises(UnfinishedExportError):
        read({**files(), "manifest-files.json": b"{"})
    with pytest.raises(ExportFormatError) as caught:
        read(files({"itemCount": 4}))
    assert not isinstance(caught.value, UnfinishedExportError)


def test_checksums_hold_where_md5_is_allowed_for_other_than_security_only(monkeypatch):
    """As in a FIPS build: https://docs.python.org/3/library/hashlib.html#hash-algorithms"""
    real = hashlib.md5

    def md5(content, *, usedforsecurity=True):
        if usedforsecurity:
            raise ValueError("disabled for FIPS")
        return real(content)

    monkeypatch.setattr(hashlib, "md5", md5)
    assert md5_base64(b"") == "1B2M2Y8AsgTpgAmY7PhCfg=="


def test_a_list_of_no_files_is_that_of_an_empty_table():
    assert read(files({"itemCount": 0}, [])).files == ()
    with pytest.raises(ExportFormatError, match="lists 0 items"):
        read(files({"itemCount": 3}, []))


@given(st.binary().filter(bytes.strip))
def test_any_bytes_raise_nothing_but_the_one_error(content):
    for parse in (parse_summary, lambda text: parse_file_list(text, ID)):
        with pytest.raises(ExportFormatError):
            parse(content)
