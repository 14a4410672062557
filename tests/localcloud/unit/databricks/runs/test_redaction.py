from localcloud.databricks.runs.redaction import redacted


def test_secrets_are_replaced_and_the_rest_stays():
    assert redacted("a=s3cret; b=s3cret!", ["s3cret"]) == "a=[REDACTED]; b=[REDACTED]!"


def test_a_secret_of_several_lines_is_replaced_line_by_line_and_an_empty_one_replaces_nothing():
    assert redacted("one\ntwo\nthree", ["one\n\ntwo", ""]) == "[REDACTED]\n[REDACTED]\nthree"
