"""What definitions look like, and which of their properties are carried out here; any other is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
# What nothing is done with, there or here.
DECORATION = "description annotations folder lastPublishTime"
# The activities of a condition, by its value.
BRANCHES = {True: "ifTrueActivities", False: "ifFalseActivities"}
# The one that every factory has.
OWN_RUNTIME = "AutoResolveIntegrationRuntime"
CONDITIONS = ("Succeeded", "Failed", "Skipped", "Completed")
TYPES: Mapping[str, Any] = {
    "string": str,
    "securestring": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "array": list,
    "object": dict,
}


@dataclass(frozen=True)
class Definitions:
    """What a factory holds: the ``properties`` of each definition by name, and its global parameters' values."""

    pipelines: Mapping[str, Json]
    datasets: Mapping[str, Json]
    linked_services: Mapping[str, Json]
    global_parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """The properties an object must and may have, the only values of some, and the shapes of objects within."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    inner: Mapping[str, str] = field(default_factory=dict)


def _shape(required: str, optional: str = "", **more: Any) -> Shape:
    return Shape(frozenset(required.split()), frozenset(optional.split()), **more)


# A name with a colon holds for objects of that kind whose type is what stands behind it.
SHAPES: Mapping[str, Shape] = {
    "pipeline": _shape("activities", f"parameters {DECORATION}", inner={"activities": "activity"}),
    "activity:Copy": _shape(
        "name type typeProperties inputs outputs",
        "dependsOn policy userProperties description",
        inner={
            "typeProperties": "copy",
            "dependsOn": "dependency",
            "policy": "policy",
            "userProperties": "user property",
            "inputs": "dataset reference",
            "outputs": "dataset reference",
        },
    ),
    "activity:IfCondition": _shape(
        "name type typeProperties",
        "dependsOn userProperties description",
        inner={
            "typeProperties": "condition",
            "dependsOn": "dependency",
            "userProperties": "user property",
        },
    ),
    "condition": _shape(
        "expression",
        "ifTrueActivities ifFalseActivities",
        inner={
            "expression": "expression",
            "ifTrueActivities": "activity",
            "ifFalseActivities": "activity",
        },
    ),
    "expression:Expression": _shape("type value"),
    "dependency": _shape("activity dependencyConditions"),
    "policy": _shape(
        "",
        "timeout retry retryIntervalInSeconds secureInput secureOutput",
        values={"secureInput": (True, False), "secureOutput": (False,)},
    ),
    "user property": _shape("name value"),
    "copy": _shape(
        "source sink",
        "enableStaging validateDataConsistency parallelCopies dataIntegrationUnits",
        values={"enableStaging": (False,), "validateDataConsistency": (True, False)},
        inner={"source": "source", "sink": "sink"},
    ),
    "source:BinarySource": _shape(
        "type storeSettings",
        "formatSettings",
        inner={"storeSettings": "source store", "formatSettings": "format"},
    ),
    "format:BinaryReadSettings": _shape("type"),
    "source store:AmazonS3ReadSettings": _shape(
        "type",
        "recursive wildcardFileName fileListPath maxConcurrentConnections",
        values={"recursive": (True, False)},
    ),
    "sink:BinarySink": _shape("type storeSettings", inner={"storeSettings": "sink store"}),
    "sink store:AzureBlobFSWriteSettings": _shape(
        "type",
        "copyBehavior blockSizeInMB maxConcurrentConnections",
        values={"copyBehavior": ("PreserveHierarchy",)},
    ),
    "dataset reference:DatasetReference": _shape("type referenceName", "parameters"),
    "linked service reference:LinkedServiceReference": _shape("type referenceName", "parameters"),
    "dataset:Binary": _shape(
        "type linkedServiceName typeProperties",
        f"parameters {DECORATION}",
        inner={"linkedServiceName": "linked service reference", "typeProperties": "dataset properties"},
    ),
    "dataset properties": _shape("location", inner={"location": "location"}),
    "location:AmazonS3Location": _shape("type bucketName", "folderPath"),
    "location:AzureBlobFSLocation": _shape("type fileSystem", "folderPath"),
    # https://learn.microsoft.com/azure/data-factory/concepts-integration-runtime
    "runtime:IntegrationRuntimeReference": _shape("type referenceName"),
    "linkedService:AmazonS3": _shape(
        "type typeProperties",
        f"parameters connectVia {DECORATION}",
        inner={"typeProperties": "S3 properties", "connectVia": "runtime"},
    ),
    # Without a service URL the real AWS would be asked.
    "S3 properties": _shape(
        "serviceUrl accessKeyId secretAccessKey",
        "authenticationType sessionToken encryptedCredential",
        values={"authenticationType": ("AccessKey", "TemporarySecurityCredentials")},
        inner={"secretAccessKey": "secret", "sessionToken": "secret"},
    ),
    "secret:AzureKeyVaultSecret": _shape(
        "type store secretName", inner={"store": "linked service reference"}
    ),
    "secret:SecureString": _shape("type value"),
    "linkedService:AzureBlobFS": _shape(
        "type typeProperties",
        f"parameters connectVia {DECORATION}",
        inner={"typeProperties": "lake properties", "connectVia": "runtime"},
    ),
    "lake properties": _shape("url"),
    "linkedService:AzureKeyVault": _shape(
        "type typeProperties", f"parameters {DECORATION}", inner={"typeProperties": "vault properties"}
    ),
    "vault properties": _shape("baseUrl"),
}
