import pytest

from d2c.deploy.comparing import same_notebook, unlike, with_owners_choices

SECRET = {"type": "SecureString", "value": "@{linkedService().key}"}
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


def test_what_the_service_has_encrypted_in_its_place_counts_as_met():
    expected = {"type": "AmazonS3", "typeProperties": {"serviceUrl": "s", "secretAccessKey": SECRET}}
    answered = {"serviceUrl": "s", "encryptedCredential": "ew0K..."}
    assert not list(unlike(expected, {"type": "AmazonS3", "typeProperties": answered}))
    changed = {**answered, "serviceUrl": "other"}
    ((path, *_),) = unlike(expected, {"type": "AmazonS3", "typeProperties": changed})
    assert path == "typeProperties.serviceUrl"


COPY = {"name": "CopyFiles", "type": "Copy", "typeProperties": {"source": {"type": "BinarySource"}}}


def test_what_the_owner_of_the_factory_has_chosen_stays_and_everything_else_is_ours():
    expected = {"activities": [{"name": "If", "typeProperties": {"ifTrueActivities": [COPY]}}]}
    theirs = {
        **COPY,
        "description": "mine",
        "typeProperties": {"source": {"type": "other"}, "dataIntegrationUnits": 32, "parallelCopies": 8},
    }
    found = {
        "activities": [
            {"name": "Before"},
            {"name": "If", "typeProperties": {"ifTrueActivities": [theirs]}},
        ],
        "lastPublishTime": "now",
    }
    chosen = {"dataIntegrationUnits": 32, "parallelCopies": 8}
    copy = {**COPY, "typeProperties": {**COPY["typeProperties"], **chosen}}
    assert with_owners_choices(expected, found) == {
        "activities": [{"name": "If", "typeProperties": {"ifTrueActivities": [copy]}}]
    }


@pytest.mark.parametrize("units", [4, None])
def test_a_value_of_ours_comes_before_the_owners(units):
    expected = {"typeProperties": {"dataIntegrationUnits": 2}}
    found = {"typeProperties": {"dataIntegrationUnits": units}} if units else None
    assert with_owners_choices(expected, found) == expected


PARAMETER = {"value": "@pipeline().parameters.dataIntegrationUnits", "type": "Expression"}


@pytest.mark.parametrize(("found", "kept"), [(32, 32), (PARAMETER, PARAMETER), (None, PARAMETER)])
def test_a_number_that_the_owner_typed_in_the_place_of_a_parameter_stays(found, kept):
    expected = {"typeProperties": {"dataIntegrationUnits": PARAMETER}}
    deployed = {"typeProperties": {} if found is None else {"dataIntegrationUnits": found}}
    assert with_owners_choices(expected, deployed) == {"typeProperties": {"dataIntegrationUnits": kept}}
