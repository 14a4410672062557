import json
import shutil
from pathlib import Path

import pytest

from localcloud.data_factory.definitions.loading import DefinitionError, bind, load_definitions

ADF = Path(__file__).parents[5] / "adf"
PIPELINE, SOURCE, LAKE, BUCKET = (
    "pipeline/copy_export.json",
    "dataset/export_folder.json",
    "linkedService/lake.json",
    "linkedService/export_bucket.json",
)


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(ADF, tmp_path / "adf")
    return tmp_path / "adf"


DATA = "activities.0"
INNER = "activities.1.typeProperties"


def change(folder, name, path, value):
    """Set a value deep in a definition; a path is names and numbers with dots between."""
    file = folder / name
    content = json.loads(file.read_text())
    at = content["properties"]
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        at = at[part]
    at[last] = value
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "path", "value", "fault"),
    [
        (PIPELINE, f"{DATA}.type", "Lookup", "has the type Lookup, which is not supported here"),
        (PIPELINE, "concurrency", 3, "concurrency is not supported here"),
        (PIPELINE, f"{INNER}.expression", "@true", "expression is no object"),
        (PIPELINE, f"{INNER}.until", [], "typeProperties.until is not supported here"),
        (PIPELINE, "activities.1.state", "Inactive", "activities[1].state is not supported here"),
        (PIPELINE, f"{DATA}.typeProperties.preserve", ["Attributes"], "typeProperties.preserve is not"),
        (PIPELINE, f"{DATA}.typeProperties.enableStaging", True, "enableStaging is True; only False"),
        (PIPELINE, f"{DATA}.typeProperties.source.type", "JsonSource", "has the type JsonSource"),
        (
            PIPELINE,
            f"{DATA}.typeProperties.source.storeSettings.type",
            "HttpReadSettings",
            "has the type HttpReadSettings",
        ),
        (
            PIPELINE,
            f"{DATA}.typeProperties.sink.storeSettings.copyBehavior",
            "MergeFiles",
            "copyBehavior is 'MergeFiles'; only 'PreserveHierarchy' is supported",
        ),
        (PIPELINE, f"{DATA}.policy.timeout", "0.00:05:00", "not from 10 minutes to 7 days"),
        (PIPELINE, f"{DATA}.policy.timeout", "5 minutes", "not of the form D.HH:MM:SS"),
        (PIPELINE, f"{DATA}.policy.retry", -1, "-1 retries"),
        (PIPELINE, f"{DATA}.policy.retryIntervalInSeconds", 5, "not from 30 to 86400 seconds"),
        (PIPELINE, f"{DATA}.policy.secureOutput", True, "secureOutput is True"),
        (PIPELINE, f"{DATA}.inputs", [], "has 0 inputs instead of one"),
        (
            PIPELINE,
            f"{DATA}.inputs.0.referenceName",
            "nothing",
            "there is no nothing for its DatasetReference",
        ),
        (
            PIPELINE,
            f"{DATA}.inputs.0.parameters",
            {"x": "1"},
            "the parameter x of export_folder is not declared",
        ),
        (
            PIPELINE,
            f"{DATA}.inputs.0.parameters",
            {},
            "the parameter bucket of export_folder is not given",
        ),
        (
            PIPELINE,
            f"{DATA}.inputs.0.parameters.folder",
            "@toLower('A')",
            "the function 'toLower', which the local",
        ),
        (
            PIPELINE,
            f"{DATA}.inputs.0.parameters.folder",
            "@pipeline().parameters.typo",
            "refers to pipeline().parameters.typo, which is not declared",
        ),
        (
            PIPELINE,
            f"{DATA}.inputs.0.parameters.folder",
            "@pipeline().TriggerTime",
            "refers to pipeline().TriggerTime",
        ),
        (
            PIPELINE,
            f"{DATA}.inputs.0.parameters.folder",
            "@dataset().folder",
            "refers to dataset().folder",
        ),
        (
            PIPELINE,
            "activities.1.dependsOn.0.activity",
            "Nobody",
            "IfThisIsTheLastPart depends on Nobody, which there is not",
        ),
        (
            PIPELINE,
            "activities.1.dependsOn.0.dependencyConditions",
            ["Done"],
            "the condition Done, which there is not",
        ),
        (
            PIPELINE,
            "activities.0.dependsOn",
            [{"activity": "IfThisIsTheLastPart", "dependencyConditions": ["Succeeded"]}],
            "depend on each other",
        ),
        (PIPELINE, f"{INNER}.ifTrueActivities.0.name", "CopyFiles", "several activities named CopyFiles"),
        (
            PIPELINE,
            "parameters.runKey.type",
            "Date",
            "runKey has the type Date, which is not supported",
        ),
        (
            SOURCE,
            "typeProperties.compression",
            {"type": "gzip"},
            "typeProperties.compression is not supported",
        ),
        (SOURCE, "type", "Json", "has the type Json"),
        (
            SOURCE,
            "linkedServiceName.referenceName",
            "gone",
            "there is no gone for its LinkedServiceReference",
        ),
        (LAKE, "typeProperties.accountKey", "secret", "typeProperties.accountKey is not supported"),
        (
            LAKE,
            "typeProperties.url",
            "@{linkedService().typo}",
            "linkedService().typo, which is not declared",
        ),
        (LAKE, "connectVia", {}, "connectVia has the type None, which is not supported"),
        (
            LAKE,
            "connectVia",
            {"referenceName": "near-aws", "type": "IntegrationRuntimeReference"},
            "there is no near-aws for its IntegrationRuntimeReference",
        ),
        (
            PIPELINE,
            f"{DATA}.typeProperties.source.storeSettings.wildcardFileName",
            "*",
            "CopyFiles has a fileListPath, which wildcardFileName and recursive do not go with",
        ),
        (
            BUCKET,
            "typeProperties.secretAccessKey.store.parameters.keyVaultUrl",
            "@linkedService().keyVaultUrl",
            "the text '@linkedService().keyVaultUrl', which is not evaluated within a secret",
        ),
        (BUCKET, "typeProperties.authenticationType", "Role", "authenticationType is 'Role'"),
        (
            BUCKET,
            "typeProperties.secretAccessKey.type",
            "EncryptedString",
            "secretAccessKey has the type EncryptedString",
        ),
    ],
)
def test_what_is_not_carried_out_here_is_refused_with_file_and_place(folder, name, path, value, fault):
    change(folder, name, path, value)
    with pytest.raises(DefinitionError) as refused:
        load_definitions(folder, {})
    assert f"{name}: " in str(refused.value)
    assert fault in str(refused.value)


def test_what_is_missing_is_named(folder):
    (folder / "linkedService" / "key_vault.json").unlink()
    with pytest.raises(DefinitionError, match="there is no key_vault for its LinkedServiceReference"):
        load_definitions(folder, {})


def test_all_faults_are_told_at_once(folder):
    change(folder, PIPELINE, "concurrency", 3)
    change(folder, LAKE, "connectVia", {})
    with pytest.raises(DefinitionError) as refused:
        load_definitions(folder, {})
    assert "concurrency" in str(refused.value)
    assert "connectVia" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (LAKE, "{", "lake.json: it is no JSON"),
        (LAKE, '{"name": "sea", "properties": {}}', "it must hold a name, lake"),
        ("factory/another.json", "{}", "factory/ holds 2 files instead of one"),
    ],
)
def test_a_file_of_another_form_is_refused(folder, name, text, fault):
    (folder / name).write_text(text)
    with pytest.raises(DefinitionError) as refused:
        load_definitions(folder, {})
    assert fault in str(refused.value)


def test_global_parameters_are_overridden_by_name_only():
    assert load_definitions(ADF, {"lakeUrl": "https://x"}).global_parameters["lakeUrl"] == "https://x"
    with pytest.raises(DefinitionError, match="no global parameter lakeurl to override; there are lakeUrl"):
        load_definitions(ADF, {"lakeurl": "https://x"})


DECLARED = {
    "text": {"type": "String"},
    "count": {"type": "int", "defaultValue": 3},
    "ratio": {"type": "Float", "defaultValue": 0.5},
    "flag": {"type": "Bool", "defaultValue": False},
}


def test_parameters_are_bound_with_their_defaults():
    assert bind(DECLARED, {"text": "", "count": 4}) == (
        {"text": "", "count": 4, "ratio": 0.5, "flag": False},
        [],
    )


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({}, ["The value for the parameter 'text' is not provided."]),
        ({"text": "a", "other": 1}, ["The parameter 'other' is not declared."]),
        ({"text": 1}, ["The value for the parameter 'text' is not of type String."]),
        ({"text": None}, ["The value for the parameter 'text' is not of type String."]),
        ({"text": "a", "count": True}, ["The value for the parameter 'count' is not of type int."]),
        ({"text": "a", "flag": "true"}, ["The value for the parameter 'flag' is not of type Bool."]),
    ],
)
def test_parameters_that_do_not_fit_are_told(given, faults):
    assert bind(DECLARED, given)[1] == faults


def test_a_store_may_be_reached_by_the_runtime_that_every_factory_has(folder):
    reference = {"referenceName": "AutoResolveIntegrationRuntime", "type": "IntegrationRuntimeReference"}
    change(folder, LAKE, "connectVia", reference)
    change(folder, BUCKET, "connectVia", reference)
    assert load_definitions(folder, {}).linked_services["lake"]["connectVia"] == reference
