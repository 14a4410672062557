import json
import shutil
from pathlib import Path

import pytest

from d2c.clients.azure.factory_definitions import COLLECTIONS
from d2c.deploy.definitions import KINDS, VERSION_ANNOTATION, read_definitions, with_runtime
from d2c.deploy.parameters import PARAMETERS
from d2c.deploy.release import own_release
from d2c.errors import D2CError

ADF = Path(__file__).parents[3] / "adf"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(ADF, tmp_path / "adf")
    return tmp_path / "adf"


def test_each_definition_is_published_after_those_it_refers_to():
    definitions = read_definitions(ADF).definitions
    assert {(each.kind, each.name) for each in definitions} == {
        (path.parent.name, path.stem) for path in ADF.glob("*/*.json") if path.parent.name != "factory"
    }
    seen = set()
    for each in definitions:
        text = json.dumps(each.properties)
        others = {other.name for other in definitions if f'"referenceName": "{other.name}"' in text}
        assert others <= seen
        seen.add(each.name)


def test_a_definition_is_its_file_with_the_versions_mark(folder):
    for each in read_definitions(folder).definitions:
        own = json.loads((folder / each.kind / f"{each.name}.json").read_text())["properties"]
        assert each.properties == {**own, "annotations": [*own.get("annotations", []), VERSION_ANNOTATION]}


def test_every_kind_has_its_collection_in_the_api():
    assert set(KINDS) == set(COLLECTIONS)


def test_every_global_parameter_has_a_setting_that_gives_its_value():
    assert set(read_definitions(ADF).global_parameters) == set(PARAMETERS)


def test_definitions_in_a_circle_are_refused(folder):
    path = folder / "linkedService" / "key_vault.json"
    content = json.loads(path.read_text())
    content["properties"]["typeProperties"]["store"] = {"referenceName": "export_bucket"}
    path.write_text(json.dumps(content))
    with pytest.raises(D2CError, match=r"export_bucket.*in a circle"):
        read_definitions(folder)


def test_without_a_clone_there_is_nothing_to_publish(tmp_path):
    with pytest.raises(D2CError, match="run d2c deploy from the clone"):
        own_release(tmp_path)


def test_the_function_apps_package_has_the_content_to_compare_with():
    ignored = (ADF.parent / ".funcignore").read_text().split()
    assert not {"adf/", "notebooks/"} & set(ignored)


def test_an_integration_runtime_goes_into_the_linked_services_of_stores_alone():
    definitions = read_definitions(ADF).definitions
    reference = {"referenceName": "near-aws", "type": "IntegrationRuntimeReference"}
    changed = {
        each.name
        for each in definitions
        if with_runtime(each, "near-aws").properties == {**each.properties, "connectVia": reference}
    }
    assert changed == {"export_bucket", "export_bucket_session", "lake"}
    assert all(with_runtime(each, "") == each for each in definitions)
