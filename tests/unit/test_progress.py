from d2c.progress import describe_table, pending_table


def test_a_table_whose_turn_has_not_come_is_pending_without_counts():
    table = pending_table("Music")
    assert (table["state"], table["percent"], table["items_exported"]) == ("pending", 0, None)


def test_the_load_run_itself_tells_which_of_its_stages_is_under_way():
    shown = {"stage": "assess", "items_exported": 7}
    progress = {"stages": [{"stage": "assess"}, {"stage": "load"}]}
    table = describe_table("Music", "running", shown, progress, None)
    assert (table["stage"], table["items_exported"], table["percent"]) == ("load", 7, 60)


def test_a_failed_table_names_the_stage_that_failed():
    error = {"stage": "copy", "detail": "d"}
    table = describe_table("Music", "failed", {"stage": "report"}, None, error)
    assert (table["stage"], table["error"]) == ("copy", error)


def test_a_succeeded_table_is_done():
    assert describe_table("Music", "succeeded", {"stage": "report"}, None, None)["percent"] == 100
