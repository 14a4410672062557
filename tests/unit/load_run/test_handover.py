"""The hand-over from assess to load, as the app and the notebook read it."""

from dataclasses import asdict, replace

import pytest

from d2c.errors import PermanentError
from d2c.export_format import DataFile
from d2c.load_run.unit.handover import (
    LONGEST_LOOK_SECONDS,
    Assessed,
    assessed_of,
    check_listing,
    is_let_go,
    listing_of,
    parse_assessed,
)
from tests.builders import a_stage, some_sums

FILES = (DataFile("k/a", "a", 3, "md5-a"), DataFile("k/b", "b", 4, "md5-b"))
FOUND = Assessed(
    assessed_at=1_780_000_000,
    assessed=some_sums(),
    files={"listed": 2, "verified": 2},
    census={"write_ru": 70, "attributes": []},
    listing=listing_of(FILES),
    stages=(a_stage("assess"),),
)
ENDED, LET_GO = '{"table": "Music"}\n', '{"table": "Music", "let_go": true}\n'


class Time:
    """A clock that sleeping moves."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def waiting(*logs, within=60, table="Music"):
    """Wait while the log is this, one after the other, the last one for ever; the result is also the time."""
    time, texts = Time(), list(logs)
    let_go = is_let_go(
        table,
        lambda: texts.pop(0) if len(texts) > 1 else texts[0],
        within,
        clock=time,
        sleep=time.sleep,
    )
    return let_go, time


class TestWaiting:
    def test_one_that_is_let_go_already_does_not_wait(self):
        let_go, time = waiting(LET_GO)
        assert (let_go, time.slept) == (True, [])

    def test_it_looks_often_at_first_and_never_more_seldom_than_every_few_seconds(self):
        let_go, time = waiting(*[""] * 30, LET_GO, within=900)
        assert let_go
        assert time.slept[0] < 0.5
        assert max(time.slept) == LONGEST_LOOK_SECONDS

    @pytest.mark.parametrize("within", [0, 1, 900])
    def test_it_gives_up_at_its_time_and_not_before_it_has_looked_once_more(self, within):
        let_go, time = waiting("", within=within)
        assert (let_go, time.now) == (False, pytest.approx(within))

    def test_one_that_has_ended_meanwhile_waits_no_longer(self):
        let_go, time = waiting("", LET_GO + ENDED)
        assert (let_go, len(time.slept)) == (False, 1)

    def test_others_that_are_let_go_or_ended_do_not_count(self):
        others = LET_GO.replace("Music", "Orders") + ENDED.replace("Music", "Users")
        assert waiting(others)[0] is False

    def test_a_log_that_the_app_did_not_write_is_refused(self):
        with pytest.raises(PermanentError, match="log of the load run's unit"):
            waiting('{"table": "Music", "let_go": "yes"}')


class TestWhatWasAssessed:
    def test_another_run_reads_it_as_it_was_written(self):
        assert parse_assessed(FOUND.to_json()) == FOUND

    def test_the_app_needs_how_much_is_written(self):
        assert FOUND.sums == {"documents": 7, "document_bytes": 700, "write_ru": 70}

    @pytest.mark.parametrize(
        "changes",
        [
            {"assessed": []},
            {"assessed": {"documents": 7}},
            {"assessed": {"documents": -1, "document_bytes": 1}},
            {"assessed": {"documents": True, "document_bytes": 1}},
            {"assessed": {"documents": 1.5, "document_bytes": 1}},
            {"census": {"write_ru": 2**60}},
            {"census": None},
            {"assessed_at": "now"},
            {"listing": None},
            {"stages": "assess"},
            {"stages": [5]},
            {"more": 1},
        ],
    )
    def test_what_no_run_wrote_is_refused_in_words(self, changes):
        with pytest.raises(PermanentError, match=r"assessed.json of a load run cannot be read") as refused:
            assessed_of({**asdict(FOUND), **changes})
        assert len(str(refused.value)) < 1_000

    @pytest.mark.parametrize("text", ["", "{", "5", "[]", "null", "[" * 100_000])
    def test_so_is_a_file_that_is_torn(self, text):
        with pytest.raises(PermanentError, match="cannot be read"):
            parse_assessed(text)


class TestListing:
    def test_the_files_that_were_assessed_may_be_loaded_in_any_order(self):
        check_listing(FILES[::-1], FOUND)

    @pytest.mark.parametrize(
        "files",
        [FILES[:1], (*FILES, replace(FILES[0], name="c")), (FILES[0], replace(FILES[1], md5="other"))],
    )
    def test_others_may_not(self, files):
        with pytest.raises(PermanentError, match="has changed since"):
            check_listing(files, FOUND)
