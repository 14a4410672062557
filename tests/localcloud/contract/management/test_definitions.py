import json

import httpx
import pytest

from d2c.clients.azure.factory_definitions import FactoryDefinitions, connect_factory_definitions
from d2c.deploy.comparing import unlike
from d2c.deploy.parts import parts_of_factory
from d2c.deploy.publish import publish
from d2c.deploy.release import own_release
from d2c.errors import PermanentError
from localcloud.cloud.identity import owner_key_id
from localcloud.common import names
from tests.localcloud.contract.management.conftest import ADF, Management, connected, factory_path


@pytest.fixture(scope="module")
def empty(tmp_path_factory, around):
    """A data factory to which nothing has been published."""
    running = Management(tmp_path_factory.mktemp("empty"), around, adf=None)
    yield running
    running.stop()


def parts(management, around):
    values = {
        "lakeUrl": "https://devstoreaccount1.dfs.core.windows.net",
        "s3ServiceUrl": around.aws.url,
        "awsAccessKeyId": owner_key_id(names.AWS_ACCOUNT),
        "keyVaultUrl": "https://v.vault.azure.net/",
    }
    return list(
        parts_of_factory(
            connected(connect_factory_definitions, management.deployer_settings), own_release(), values
        )
    )


def call(management, method, path, body=None, **headers):
    return management.http.request(
        method, f"{factory_path()}{path}?api-version=2018-06-01", json=body, headers=headers
    )


def test_what_is_published_to_an_empty_factory_copies_exports_and_outlives_its_process(empty, around):
    refused = call(empty, "POST", "/pipelines/copy_export/createRun", {})
    assert refused.status_code == 404
    assert {each.outcome for each in publish(parts(empty, around))} == {"created"}
    around.put_export("p/published")
    assert empty.ended(empty.start_copy("published", "p/published")).status == "Succeeded"
    empty.kill()
    empty.start()
    assert {each.outcome for each in publish(parts(empty, around))} == {"unchanged"}
    assert empty.ended(empty.start_copy("again", "p/published")).status == "Succeeded"


def test_what_the_product_reads_back_is_its_own_file(management):
    definitions = connected(connect_factory_definitions, management.deployer_settings)
    for path in ADF.glob("*/*.json"):
        if path.parent.name != "factory":
            properties = json.loads(path.read_text())["properties"]
            assert not list(unlike(properties, definitions.find(path.parent.name, path.stem)))


def test_secure_strings_are_read_back_as_one_encrypted_text_that_may_be_sent_again(management):
    definitions = connected(connect_factory_definitions, management.deployer_settings)
    found = definitions.find("linkedService", "export_bucket_session")["typeProperties"]
    assert found.keys() == {"authenticationType", "serviceUrl", "accessKeyId", "encryptedCredential"}
    properties = json.loads((ADF / "linkedService" / "export_bucket_session.json").read_text())["properties"]
    properties["typeProperties"]["encryptedCredential"] = found["encryptedCredential"]
    definitions.put("linkedService", "export_bucket_session", properties)
    assert definitions.find("linkedService", "export_bucket_session")["typeProperties"] == found


def test_a_definition_that_refers_to_what_is_not_there_is_refused(management):
    definitions: FactoryDefinitions = connected(connect_factory_definitions, management.deployer_settings)
    lake = definitions.find("linkedService", "lake")
    dataset = definitions.find("dataset", "lake_folder")
    dataset["linkedServiceName"]["referenceName"] = "gone"
    with pytest.raises(PermanentError, match=r"dataset other.*invalid reference.*there is no gone"):
        definitions.put("dataset", "other", dataset)
    with pytest.raises(PermanentError, match=r"linkedService other.*connectVia has the type None"):
        definitions.put("linkedService", "other", {**lake, "connectVia": {}})
    assert definitions.find("dataset", "other") is None


def test_a_linked_service_may_change_before_its_datasets_do_but_nothing_runs_meanwhile(management):
    definitions = connected(connect_factory_definitions, management.deployer_settings)
    lake = definitions.find("linkedService", "lake")
    definitions.put(
        "linkedService", "lake", {**lake, "parameters": {**lake["parameters"], "tenant": {"type": "String"}}}
    )
    refused = call(management, "POST", "/pipelines/copy_export/createRun", {})
    assert refused.status_code == 400
    assert "the parameter tenant of lake is not given" in refused.text
    definitions.put("linkedService", "lake", lake)


def test_the_factory_is_written_as_it_was_read_or_not_at_all(management):
    factory = call(management, "GET", "").json()
    assert factory["properties"]["globalParameters"]["lakeUrl"]["type"] == "String"
    body = {
        "location": "local",
        "properties": {"globalParameters": factory["properties"]["globalParameters"]},
    }
    assert call(management, "PUT", "", body, **{"If-Match": "another"}).status_code == 412
    assert call(management, "PUT", "", {**body, "colour": "red"}).status_code == 400
    nameless = {"properties": {"globalParameters": {"a": {"type": "String"}}}}
    assert call(management, "PUT", "", nameless).status_code == 400
    assert call(management, "PUT", "", body, **{"If-Match": factory["eTag"]}).status_code == 200


def test_what_the_local_factory_does_not_have_is_refused(management):
    answer: httpx.Response = call(management, "PUT", "/triggers/daily", {"properties": {}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "NotSupportedHere")
