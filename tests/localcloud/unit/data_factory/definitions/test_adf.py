"""The repository's own factory folder, held to itself, to the SDK and to the activity that starts its pipeline."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from azure.mgmt.datafactory.models import DatasetResource, LinkedServiceResource, PipelineResource

from activities import copy
from activities.copy_lane.runs import PIPELINES
from d2c.app.aws_settings import COPY_CREDENTIALS
from d2c.export_format.copy_parts import LISTED_MANIFESTS
from d2c.export_format.manifest import SUMMARY_FILE
from localcloud.data_factory.definitions.checks import all_activities
from localcloud.data_factory.definitions.loading import load_definitions
from tests.builders import EXPORT_TIME, a_table, an_export
from tests.unit.activities.fakes import World
from tests.unit.app.test_aws_settings import aws

ADF = Path(__file__).parents[5] / "adf"
MODELS = {"pipeline": PipelineResource, "dataset": DatasetResource, "linkedService": LinkedServiceResource}
FILES = [(kind, path) for kind in MODELS for path in sorted((ADF / kind).glob("*.json"))]


def properties_of(kind, name):
    return json.loads((ADF / kind / f"{name}.json").read_text())["properties"]


def copies_of(pipeline):
    return [each for each in all_activities(pipeline["activities"]) if each["type"] == "Copy"]


ACTIVITIES = properties_of("pipeline", "copy_export")["activities"]
COPIES = copies_of(properties_of("pipeline", "copy_export"))
SECRETS = ("awsSecretAccessKey", "awsSessionToken")


def test_every_reference_expression_and_name_in_the_folder_holds():
    loaded = load_definitions(ADF, {})
    assert sorted(loaded.pipelines) == sorted(PIPELINES.values())
    assert set(loaded.global_parameters) == {"lakeUrl", "s3ServiceUrl", "awsAccessKeyId", "keyVaultUrl"}


@pytest.mark.parametrize("credentials", COPY_CREDENTIALS)
def test_the_pipelines_parameters_are_those_that_the_activity_passes(credentials):
    world = World()
    world.settings = SimpleNamespace(
        export_bucket="b",
        lake_file_system="lake",
        aws=aws(D2C_COPY_CREDENTIALS=credentials),
        copies=SimpleNamespace(integration_units=2, parallel_copies=0),
    )
    table = a_table(attempt=1, started_at=EXPORT_TIME, export=an_export(bytes=1))
    assert world.answer(copy.start_copy, table) == {"value": "run-0"}
    ((pipeline, given),) = zip(world.factory.pipelines, world.factory.started, strict=True)
    declared = load_definitions(ADF, {}).pipelines[pipeline]["parameters"]
    assert given.keys() == declared.keys()


def test_the_two_pipelines_differ_in_the_credentials_and_in_nothing_else():
    """Data Factory chooses a linked service when it is deployed, so there is a pipeline for each way to read S3."""
    of_vault, of_session = (properties_of("pipeline", name) for name in PIPELINES.values())
    assert of_session["parameters"].keys() - of_vault["parameters"].keys() == {"awsAccessKeyId", *SECRETS}
    for pipeline in (of_vault, of_session):
        del pipeline["description"], pipeline["parameters"]
        for activity in copies_of(pipeline):
            del activity["policy"]["secureInput"], activity["inputs"][0]["referenceName"]
            for name in ("awsAccessKeyId", "keyVaultUrl", *SECRETS):
                activity["inputs"][0]["parameters"].pop(name, None)
    assert of_session == of_vault


def test_secrets_are_hidden_in_the_run_and_no_activity_shows_its_input():
    """Data Factory knows of no dataset or linked service with a secure parameter, so theirs are plain.

    https://github.com/MicrosoftDocs/azure-docs/issues/38364
    """
    pipeline = properties_of("pipeline", "copy_export_session")
    dataset = properties_of("dataset", "export_folder_session")
    linked = properties_of("linkedService", "export_bucket_session")
    for name in SECRETS:
        assert pipeline["parameters"][name] == {"type": "SecureString"}
        for definition in (dataset, linked):
            assert definition["parameters"][name] == {"type": "String"}
    for activity in copies_of(pipeline):
        assert activity["policy"]["secureInput"] is True
        shown = json.dumps([activity["userProperties"], activity["typeProperties"]])
        assert not any(name in shown for name in SECRETS)
    for name in ("secretAccessKey", "sessionToken"):
        assert linked["typeProperties"][name]["type"] == "SecureString"


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda value: getattr(value, "name", value))
def test_a_definition_goes_through_the_sdks_model_unchanged(kind, path):
    content = json.loads(path.read_text())
    assert content["name"] == path.stem
    body = {"properties": content["properties"]}
    assert MODELS[kind](body).as_dict() == body


def test_what_differs_between_environments_stands_in_the_factorys_parameters_alone():
    (factory,) = (ADF / "factory").glob("*.json")
    values = [
        parameter["value"]
        for parameter in json.loads(factory.read_text())["properties"]["globalParameters"].values()
    ]
    others = [path.read_text() for _, path in FILES]
    assert not [value for value in values for text in others if value in text]
    assert not any("http" in text for text in others)


def test_the_summary_comes_last_after_all_else_has_succeeded_and_in_the_last_part_alone():
    files, condition = ACTIVITIES
    assert files["dependsOn"] == []
    assert condition["dependsOn"] == [{"activity": "CopyFiles", "dependencyConditions": ["Succeeded"]}]
    assert condition["typeProperties"]["expression"]["value"] == "@pipeline().parameters.isLastPart"
    of_list, of_summary = (each["typeProperties"]["source"]["storeSettings"] for each in COPIES)
    assert of_list["fileListPath"]["value"] == (
        "@concat(pipeline().parameters.bucket, '/', pipeline().parameters.fileList)"
    )
    assert of_summary["wildcardFileName"] == SUMMARY_FILE
    assert SUMMARY_FILE not in LISTED_MANIFESTS


def test_every_copy_checks_its_data_and_is_tried_again():
    for activity in COPIES:
        assert activity["typeProperties"]["validateDataConsistency"] is True
        assert activity["policy"]["retry"] >= 1


def test_the_summary_is_copied_with_the_fewest_units_and_files_with_those_of_the_run():
    """Each copy is billed for a minute at least. https://learn.microsoft.com/azure/data-factory/copy-activity-performance-features"""
    of_files, of_summary = (activity["typeProperties"] for activity in COPIES)
    assert of_files["dataIntegrationUnits"]["value"] == "@pipeline().parameters.dataIntegrationUnits"
    assert of_files["parallelCopies"]["value"] == "@pipeline().parameters.parallelCopies"
    assert of_summary["dataIntegrationUnits"] == 2


def test_a_run_that_a_person_starts_leaves_units_and_parallel_copies_to_the_service():
    parameters = properties_of("pipeline", "copy_export")["parameters"]
    assert {name: each["defaultValue"] for name, each in parameters.items() if "defaultValue" in each} == {
        "dataIntegrationUnits": 0,
        "parallelCopies": 0,
    }
