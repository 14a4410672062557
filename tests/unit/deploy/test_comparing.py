import pytest

from d2c.deploy.parts import same_notebook, unlike

EXPECTED = {"type": "Copy", "inputs": [{"name": "a"}, {"name": "b"}], "retry": 2}


@pytest.mark.parametrize(
    ("found", "differences"),
    [
        (EXPECTED, []),
        ({**EXPECTED, "lastPublishTime": "2026-06-01"}, []),
        ({**EXPECTED, "retry": 3}, [("retry", "3", "2")]),
        ({**EXPECTED, "inputs": [{"name": "a"}, {"name": "c"}]}, [("inputs[1].name", '"c"', '"b"')]),
        ({"type": "Copy", "inputs": EXPECTED["inputs"]}, [("retry", "nothing", "2")]),
        ({**EXPECTED, "inputs": {}}, [("inputs", "{}", '[{"name": "a"}, {"name": "b"}]')]),
        (
            {**EXPECTED, "inputs": [{"name": "a"}]},
            [("inputs", '[{"name": "a"}]', '[{"name": "a"}, {"name": "b"}]')],
        ),
        ({**EXPECTED, "retry": True}, [("retry", "true", "2")]),
    ],
)
def test_expected_fields_are_compared_and_additional_ones_ignored(found, differences):
    assert list(unlike(EXPECTED, found)) == differences


def test_a_long_value_is_shown_in_part():
    ((_, found, _),) = unlike({"text": "short"}, {"text": "x" * 1000})
    assert len(found) < 100


SOURCE = b"# Databricks notebook source\nfirst = 1\n\n# COMMAND ----------\n\nsecond = 2\n"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (SOURCE, True),
        (SOURCE.rstrip(b"\n"), True),
        (SOURCE.replace(b"\n", b"\r\n"), True),
        (SOURCE.replace(b"\n\n# COMMAND", b"\n# COMMAND"), True),
        (SOURCE.replace(b"second = 2", b"second = 3"), False),
        (SOURCE.replace(b"# COMMAND ----------\n", b""), False),
        (b"", False),
    ],
)
def test_notebooks_are_the_same_if_their_cells_are(other, same):
    assert same_notebook(other, SOURCE) is same


def test_of_a_secure_string_only_its_being_one_is_compared():
    expected = {"sessionToken": {"type": "SecureString", "value": "@{linkedService().token}"}}
    assert not list(unlike(expected, {"sessionToken": {"type": "SecureString", "value": "**********"}}))
    other = {"sessionToken": {"type": "AzureKeyVaultSecret", "secretName": "x"}}
    assert list(unlike(expected, other))
    assert list(unlike(expected, {}))
