import dataclasses
import json

import pytest
from databricks.sdk.service.compute import ClusterSpec
from databricks.sdk.service.jobs import SubmitTask

from d2c.app.cluster_settings import FIELDS, read_cluster
from d2c.app.load_run_settings import CONNECTOR

MACHINES = {"node_type_id": "Standard_E8ds_v5"}


def read(cluster):
    return read_cluster(cluster if isinstance(cluster, str) else json.dumps(cluster))


def faults_of(cluster):
    with pytest.raises(ValueError, match="D2C_CLUSTER") as refused:
        read(cluster)
    return refused.value.args


DEFAULT = {
    "spark_version": "17.3.x-scala2.13",
    "data_security_mode": "SINGLE_USER",
    "node_type_id": "Standard_D4ds_v5",
    "autoscale": {"min_workers": 1, "max_workers": 8},
}
OWN = {"spark_version": "17.3.x-scala2.13", "data_security_mode": "SINGLE_USER"}


@pytest.mark.parametrize(
    ("given", "cluster"),
    [
        ("", DEFAULT),
        ({}, DEFAULT),
        ({"num_workers": 2}, {**OWN, "node_type_id": "Standard_D4ds_v5", "num_workers": 2}),
        (MACHINES, {**DEFAULT, **MACHINES}),
        (
            {"instance_pool_id": "pool-1"},
            {**OWN, "instance_pool_id": "pool-1", "autoscale": DEFAULT["autoscale"]},
        ),
        ({"policy_id": "p-1"}, {**OWN, "policy_id": "p-1", "apply_policy_default_values": True}),
        (
            {"policy_id": "p-1", "apply_policy_default_values": False, **MACHINES},
            {**OWN, "policy_id": "p-1", "apply_policy_default_values": False, **MACHINES},
        ),
        ({"existing_cluster_id": "0601-1"}, {"existing_cluster_id": "0601-1"}),
    ],
)
def test_a_cluster_is_completed_unless_a_policy_pool_or_cluster_does(given, cluster):
    assert read(given) == cluster


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ({"existing_cluster_id": ""}, "existing_cluster_id is not the id"),
        ({"existing_cluster_id": "0601-1", "policy_id": "p"}, "together with policy_id"),
        ({"environment_key": "serverless"}, "field 'environment_key', which a job's cluster does not have"),
        ({"data_security_mode": "USER_ISOLATION"}, "SQLSTATE 0AKUC"),
        ({"data_security_mode": "DATA_SECURITY_MODE_STANDARD"}, "use SINGLE_USER"),
        ({"data_security_mode": "DATA_SECURITY_MODE_AUTO"}, "use SINGLE_USER"),
        ({"spark_version": "17.3.x-scala2.12"}, "needs Spark 4.0 and Scala 2.13"),
        ({"spark_version": "16.4.x-scala2.13"}, "needs Spark 4.0 and Scala 2.13"),
        ({"spark_version": "18.1.x-scala2.13"}, "needs Spark 4.0 and Scala 2.13"),
        ({"spark_version": 17}, "spark_version is 17"),
        ({"instance_pool_id": "p", **MACHINES}, "a pool has its own machines"),
        ({"driver_instance_pool_id": "p"}, "without instance_pool_id"),
        (
            {"num_workers": 1, "autoscale": {"min_workers": 1, "max_workers": 2}},
            "both autoscale and num_workers",
        ),
        ({"spark_conf": {"a": 1}}, "spark_conf is not a JSON object of texts"),
        ({"spark_conf": {"fs.azure.account.oauth2.client.secret": "x"}}, "as plain text"),
        (
            {"spark_conf": {"fs.azure.account.oauth2.client.secret.lake1.dfs.core.windows.net": "x"}},
            "as plain text",
        ),
        ({"spark_conf": {"fs.azure.account.key.lake1.dfs.core.windows.net": "x"}}, "as plain text"),
        ({"spark_env_vars": {"MY_PASSWORD": "x"}}, "as plain text"),
    ],
)
def test_a_cluster_that_cannot_carry_a_load_run_is_refused_when_it_is_read(given, fault):
    (text,) = faults_of(given)
    assert text.startswith("D2C_CLUSTER")
    assert fault in text


def test_a_message_about_a_secret_has_its_name_alone():
    (text,) = faults_of({"spark_conf": {"fs.azure.account.oauth2.client.secret": "hidden"}})
    assert "hidden" not in text


def test_secrets_of_a_scope_and_names_without_secrets_are_taken():
    conf = {
        "fs.azure.account.auth.type.lake1.dfs.core.windows.net": "OAuth",
        "fs.azure.account.oauth2.client.secret.lake1.dfs.core.windows.net": "{{secrets/d2c/lake-client-secret}}",
        "spark.databricks.delta.preview.enabled": "true",
    }
    assert read({"spark_conf": conf})["spark_conf"] == conf


def test_all_faults_are_reported_at_once():
    faults = faults_of({"colour": "red", "spark_version": "x", "data_security_mode": "USER_ISOLATION"})
    assert len(faults) == 3


def test_every_field_is_one_of_the_sdk_which_drops_all_others_silently():
    known = {field.name for field in dataclasses.fields(ClusterSpec)}
    assert known >= FIELDS
    cluster = read({"policy_id": "p", "custom_tags": {"team": "x"}})
    assert SubmitTask.from_dict({"new_cluster": cluster}).new_cluster.as_dict() == cluster


def test_the_connector_is_the_one_for_the_default_runtime():
    assert "_4-0_2-13:" in CONNECTOR
