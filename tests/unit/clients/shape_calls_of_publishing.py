"""The calls that publish what this version needs; see `shape_calls`."""

from collections.abc import Callable
from typing import Any

from azure.mgmt.datafactory import DataFactoryManagementClient

from d2c.clients.azure.factory_definitions import FactoryDefinitions
from d2c.clients.databricks.files import DatabricksFiles

from .outside import SignedIn
from .shape_calls import workspace

NOTEBOOK, WHEEL = "/Shared/d2c/load_table", "/Volumes/main/d2c/libs/d2c.whl"
DEFINITION = {"type": "AmazonS3", "typeProperties": {"authenticationType": "TemporarySecurityCredentials"}}


def _files() -> DatabricksFiles:
    return DatabricksFiles(workspace())


def _definitions() -> FactoryDefinitions:
    client = DataFactoryManagementClient(
        SignedIn(), "sub", base_url="https://management.azure.com", retry_total=0
    )
    return FactoryDefinitions(client, "sub", "rg-demo", "adf-demo")


AZURE: dict[str, Callable[[], Any]] = {
    "databricks.files: workspace.export": lambda: _files().read_notebook(NOTEBOOK),
    "databricks.files: workspace.import_": lambda: _files().write_notebook(
        NOTEBOOK, b"# Databricks notebook source\n"
    ),
    "databricks.files: workspace.mkdirs": lambda: _files().write_file(
        "/Workspace/Shared/d2c/d2c.whl", b"wheel"
    ),
    "databricks.files: api_client.do": lambda: _files().write_file(WHEEL, b"wheel"),
    "azure.factory_definitions: send_request": lambda: _definitions().put("linkedService", "s3", DEFINITION),
}
