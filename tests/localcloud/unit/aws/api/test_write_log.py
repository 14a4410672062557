import pytest

from localcloud.aws.api.write_log import Change, WriteLog

A, B, C, D = ({"k": {"S": name}} for name in "abcd")


def image(text):
    return {"v": {"S": text}}


@pytest.fixture
def log(tmp_path):
    return WriteLog(tmp_path / "writes.sqlite")


def test_the_net_change_has_the_image_before_the_window_and_the_last_one_within_it(log):
    for change in (
        Change(A, 10, None, image("0")),
        Change(A, 20, image("0"), image("1")),
        Change(A, 30, image("1"), image("2")),
        Change(A, 40, image("2"), None),
    ):
        log.append("t", change)
    assert list(log.net_changes("t", 20, 40)) == [Change(A, 30, image("0"), image("2"))]
    assert list(log.net_changes("t", 20)) == [Change(A, 40, image("0"), None)]
    assert list(log.net_changes("t", 10)) == []
    assert list(log.net_changes("other", 0)) == []


def test_windows_that_meet_share_no_write_and_lose_none(log):
    for number, key in enumerate((A, B, C, D)):
        log.append("t", Change(key, number, None, image("x")))
    found = [change.key for start in (0, 2) for change in log.net_changes("t", start, start + 2)]
    assert found == [A, B, C, D]


def test_what_a_transaction_added_is_gone_after_an_error(log):
    def fail():
        with log.transaction():
            log.append("t", Change(A, 1, None, image("x")))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with log.transaction():
        log.append("t", Change(B, 2, None, image("x")))
    assert [change.key for change in log.net_changes("t", 0)] == [B]


def test_writes_after_a_position_come_in_their_order_in_another_process_too(log, tmp_path):
    log.append("t", Change(A, 1, None, image("x")))
    position = log.position()
    log.append("u", Change(B, 3, None, image("y")))
    log.append("t", Change(A, 2, image("x"), None))
    assert list(WriteLog(tmp_path / "writes.sqlite").after(position)) == [
        ("u", Change(B, 3, None, image("y"))),
        ("t", Change(A, 2, image("x"), None)),
    ]


def test_old_writes_are_forgotten(log):
    for micros in (1, 2):
        log.append("t", Change(A, micros, None, image("x")))
    log.forget_before(2)
    assert [change.micros for change in log.net_changes("t", 0)] == [2]
