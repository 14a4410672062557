"""What tests of programs of others share."""

import pytest

from tests.real.snapshots import copy_of_infra, show_secure_values, take_snapshot

GIVEN_COPY_ROLE = "aaaaaaaa-0000-0000-0000-000000000001"
GIVEN_CONTAINER_ROLE = "aaaaaaaa-0000-0000-0000-000000000002"
SPARK = {"D2C_SPARK_PRINCIPAL_ID": "bbbbbbbb-0000-0000-0000-000000000001"}
PARTS = {
    "existing account": {"D2C_EXISTING_COSMOS_ACCOUNT": "cosmos-prod"},
    "existing workspace": {"D2C_EXISTING_DATABRICKS_WORKSPACE": "dbw-prod"},
    "existing group": {"AZURE_RESOURCE_GROUP": "rg-dev", "D2C_CREATE_RESOURCE_GROUP": "false"},
    "Durable Task Scheduler": {"D2C_DURABLE_PROVIDER": "azureManaged"},
    "private networking": {"D2C_PRIVATE_NETWORKING": "true", **SPARK},
    "keys": {"D2C_COPY_CREDENTIALS": "key_vault", "D2C_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"},
    "given roles": {"D2C_COPY_ROLE": GIVEN_COPY_ROLE, "D2C_CONTAINER_ROLE": GIVEN_CONTAINER_ROLE, **SPARK},
    "AWS roles": {
        "D2C_AWS_ROLES": '{"111122223333": "arn:aws:iam::111122223333:role/d2c"}',
        "D2C_AWS_TOKEN_AUDIENCE": "api://d2c-aws",
        "D2C_APP_SETTINGS": '{"D2C_POLL_FACTOR": "2", "D2C_SECRET_SCOPE": "mine"}',
        "D2C_STORAGE_SKU": "Standard_LRS",
        "D2C_LAKE_PATH_CONDITIONS": "false",
        **SPARK,
    },
}
COMBINATIONS = {
    "default": {},
    **PARTS,
    "all at once": {name: value for part in PARTS.values() for name, value in part.items()},
}


@pytest.fixture(scope="session")
def snapshot_of(tmp_path_factory):
    """Return what takes the snapshot of a combination of parameters, each once."""
    infra = copy_of_infra(tmp_path_factory.mktemp("bicep"))
    show_secure_values(infra)
    taken = {}

    def take(combination):
        if combination not in taken:
            taken[combination] = take_snapshot(infra / "main.bicepparam", COMBINATIONS[combination])
        return taken[combination]

    return take


@pytest.fixture(params=COMBINATIONS)
def combination(request):
    return request.param


@pytest.fixture
def snapshot(combination, snapshot_of):
    return snapshot_of(combination)
