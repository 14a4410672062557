"""The identities in Microsoft Entra ID that call Azure here."""

from typing import NamedTuple

from localcloud.common.names import APP_OBJECT_ID


class Principal(NamedTuple):
    """A service principal: the id of its application, and its own."""

    client_id: str
    object_id: str


APP = Principal("0a0b0c0d-aaaa-4bbb-8ccc-000000000001", APP_OBJECT_ID)
# Of `d2c deploy`.
DEPLOYER = Principal("0a0b0c0d-aaaa-4bbb-8ccc-000000000002", "0a0b0c0d-5555-4666-8777-000000000002")
# Of whoever looks at the local cloud from outside, such as its tests.
OWNER = Principal("0a0b0c0d-aaaa-4bbb-8ccc-000000000003", "0a0b0c0d-5555-4666-8777-000000000003")
# The managed identity of the data factory.
FACTORY = Principal("0a0b0c0d-aaaa-4bbb-8ccc-000000000004", "0a0b0c0d-5555-4666-8777-000000000004")
# Load runs sign in to Cosmos DB and to the lake as this one.
SPARK = Principal("0a0b0c0d-aaaa-4bbb-8ccc-000000000005", "0a0b0c0d-5555-4666-8777-000000000005")
# A person who puts plans into the lake, and may do nothing else.
PLAN_WRITER = Principal("0a0b0c0d-aaaa-4bbb-8ccc-000000000006", "0a0b0c0d-5555-4666-8777-000000000006")
PRINCIPALS = (APP, DEPLOYER, OWNER, FACTORY, SPARK, PLAN_WRITER)
