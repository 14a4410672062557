"""The repository's own factory folder, held to itself, to the SDK and to the activity that starts its pipeline."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from azure.mgmt.datafactory.models import DatasetResource, LinkedServiceResource, PipelineResource

from activities import copying
from localcloud.data_factory.definitions import load_definitions

ADF = Path(__file__).parents[3] / "adf"
MODELS = {"pipeline": PipelineResource, "dataset": DatasetResource, "linkedService": LinkedServiceResource}
FILES = [(kind, path) for kind in MODELS for path in sorted((ADF / kind).glob("*.json"))]
ACTIVITIES = json.loads((ADF / "pipeline" / "copy_export.json").read_text())["properties"]["activities"]


class RecordingFactory:
    def __init__(self):
        self.started = []

    def find_run(self, pipeline, run_key, *, since):
        return None

    def start_run(self, pipeline, parameters):
        self.started.append((pipeline, parameters))
        return "run"


def test_every_reference_expression_and_name_in_the_folder_holds():
    loaded = load_definitions(ADF, {})
    assert list(loaded.pipelines) == [copying.PIPELINE]
    assert set(loaded.global_parameters) == {"lakeUrl", "s3ServiceUrl", "awsAccessKeyId", "keyVaultUrl"}


def test_the_pipelines_parameters_are_those_that_the_activity_passes(monkeypatch):
    factory = RecordingFactory()
    settings = SimpleNamespace(export_bucket="b", lake_file_system="lake")
    monkeypatch.setattr(copying, "app_settings", lambda: settings)
    monkeypatch.setattr(copying, "connect_data_factory", lambda _: factory)
    monkeypatch.setattr(copying, "refuse_if_cancelled", lambda *_, **__: None)
    payload = {
        "migration": "m",
        "table": "t",
        "attempt": 0,
        "started_at": "2026-01-01T00:00:00+00:00",
        "export": {"folder": "p/AWSDynamoDB/1-a", "id": "1-a"},
    }
    assert copying.start_copy(payload) == {"value": "run"}
    ((pipeline, given),) = factory.started
    declared = load_definitions(ADF, {}).pipelines[pipeline]["parameters"]
    assert given.keys() == declared.keys()


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


def test_the_summary_comes_last_after_all_else_has_succeeded():
    names = [activity["name"] for activity in ACTIVITIES]
    chosen = [
        activity["typeProperties"]["source"]["storeSettings"]["wildcardFileName"] for activity in ACTIVITIES
    ]
    assert chosen == ["*", "manifest-files.*", "manifest-summary.md5", "manifest-summary.json"]
    for before, activity in zip([None, *names], ACTIVITIES, strict=False):
        expected = [{"activity": before, "dependencyConditions": ["Succeeded"]}] if before else []
        assert activity["dependsOn"] == expected


def test_every_copy_checks_its_data_and_is_tried_again():
    for activity in ACTIVITIES:
        assert activity["typeProperties"]["validateDataConsistency"] is True
        assert activity["policy"]["retry"] >= 1
