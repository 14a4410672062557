from d2c.load_run.unit_log import ended_tables


def test_an_empty_log_names_no_table():
    assert ended_tables([]) == set()


def test_who_has_ended_is_told_once_however_often_it_is_said():
    assert ended_tables([{"table": "Users"}, {"table": "Music"}, {"table": "Users"}]) == {"Users", "Music"}
