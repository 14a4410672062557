"""Reports of tasks over a real socket of this machine; a datagram to it is there once it has been sent."""

import pickle
import socket

import pyarrow as pa
import pytest

from d2c.load_run.counting import reports
from d2c.load_run.counting.reports import MOST_BYTES, Inbox, read_report, report, reporting, reporting_rows
from d2c.load_run.workers import load_files
from tests.unit.load_run.batches import data_file, lines_of, request, rows_of

KEY = "0123456789abcdef"
ITEMS = [{"pk": {"S": f"k{number}"}} for number in range(5)]


@pytest.fixture
def inbox():
    opened = Inbox("127.0.0.1")
    yield opened
    opened.close()


def test_a_task_reports_how_many_items_of_its_file_it_has_gone_through(inbox):
    file, batch = data_file(lines_of(*ITEMS))
    worker = load_files(request(), [file], 0)
    assert rows_of(reporting(worker, inbox.address), batch) == rows_of(worker, batch)
    assert list(inbox.read()) == [(file.name, 5)]


def test_between_two_reports_there_is_some_time_and_the_last_one_is_always_sent(inbox):
    def worker(batches):
        for items in (1, 2, 3):
            report("a", items)
        report("a", 4, is_last=True)
        yield from batches

    rows_of(reporting(worker, inbox.address))
    assert list(inbox.read()) == [("a", 1), ("a", 4)]


def test_a_long_task_reports_again_after_some_seconds(inbox, monkeypatch):
    monkeypatch.setattr(reports, "REPORT_SECONDS", 0.0)

    def worker(batches):
        for items in (1, 2):
            report("a", items)
        yield from batches

    rows_of(reporting(worker, inbox.address))
    assert list(inbox.read()) == [("a", 1), ("a", 2)]


def test_of_a_container_the_rows_count_that_a_task_has_taken(inbox):
    batch = pa.RecordBatch.from_pydict({"_rawBody": ["{}", "{}"]})
    rows_of(reporting_rows(lambda batches: iter(batches), inbox.address, lambda: "documents 7"), batch, batch)
    assert list(inbox.read())[-1] == ("documents 7", 4)


@pytest.mark.parametrize("host", ["127.0.0.1", "no such host"])
def test_a_driver_that_is_not_there_stops_no_task(host):
    file, batch = data_file(lines_of(*ITEMS))
    worker = load_files(request(), [file], 0)
    address = reports.Address(host, 9, KEY)
    assert rows_of(reporting(worker, address), batch) == rows_of(reporting(worker, None), batch)


def test_after_a_task_nothing_is_reported(inbox):
    rows_of(reporting(lambda batches: iter(batches), inbox.address))
    report("a", 1, is_last=True)
    assert list(inbox.read()) == []


def test_an_address_travels_to_the_workers(inbox):
    assert pickle.loads(pickle.dumps(inbox.address)) == inbox.address


def test_reports_of_others_are_ignored(inbox):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        for text in ("x", "", "key 5 a", f"{inbox.address.key} 7 b"):
            other.sendto(text.encode(), ("127.0.0.1", inbox.address.port))
    assert list(inbox.read()) == [("b", 7)]


@pytest.mark.parametrize(
    ("datagram", "found"),
    [
        (f"{KEY} 12 a b.json.gz", ("a b.json.gz", 12)),
        (f"{KEY} 0 ", ("", 0)),
        (f"{KEY} -1 a", None),
        (f"{KEY} ٣ a", None),
        (f"{KEY} 1", None),
        (f"{KEY}x 1 a", None),
        (f"{KEY} {'9' * 19} a", None),
        (f"{KEY} 1 {'a' * MOST_BYTES}", None),
    ],
)
def test_a_report_has_the_key_a_count_and_a_name(datagram, found):
    assert read_report(datagram.encode(), KEY) == found
