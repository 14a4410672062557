"""What is reached from where, by the compiled templates."""

import pytest

from tests.real.conftest import COMBINATIONS
from tests.real.tools import needs

pytestmark = needs("bicep")
STORES = (
    "Microsoft.Storage/storageAccounts",
    "Microsoft.KeyVault/vaults",
    "Microsoft.DocumentDB/databaseAccounts",
)
PRIVATE = [name for name, given in COMBINATIONS.items() if "D2C_PRIVATE_NETWORKING" in given]
SUBNETS_WITH_A_WAY_OUT = {"functions", "databricks-public", "databricks-private"}
DOMAINS = {"vault": "vaultcore.azure.net", "Sql": "documents.azure.com"}

private = pytest.mark.parametrize("combination", PRIVATE)


def is_closed(store):
    properties = store["properties"]
    rules = properties.get("networkAcls", {})
    return properties["publicNetworkAccess"] == "Disabled" or rules.get("defaultAction") == "Deny"


def stores(snapshot):
    return [store for kind in STORES for store in snapshot.of_type(kind)]


@private
def test_no_store_is_open(snapshot):
    assert [store["name"] for store in stores(snapshot) if not is_closed(store)] == []


@private
def test_the_lake_lets_in_the_factory_and_unity_catalog(combination, snapshot):
    (lake,) = [store for store in stores(snapshot) if store["properties"].get("isHnsEnabled")]
    let_in = {
        rule["resourceId"].split("/")[-2] for rule in lake["properties"]["networkAcls"]["resourceAccessRules"]
    }
    is_new = "D2C_EXISTING_DATABRICKS_WORKSPACE" not in COMBINATIONS[combination]
    assert let_in == {"factories"} | ({"accessConnectors"} if is_new else set())


@private
def test_every_store_has_its_endpoints_and_each_its_zone(snapshot):
    targets = set()
    for endpoint in snapshot.of_type("Microsoft.Network/privateEndpoints"):
        (link,) = endpoint["properties"]["privateLinkServiceConnections"]
        (part,) = link["properties"]["groupIds"]
        targets.add(link["properties"]["privateLinkServiceId"].rpartition("/")[2])
        (zones,) = [
            group["properties"]["privateDnsZoneConfigs"]
            for group in snapshot.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
            if group["id"].startswith(f"{endpoint['id']}/")
        ]
        (zone,) = [config["properties"]["privateDnsZoneId"] for config in zones]
        assert f"privatelink.{DOMAINS.get(part, part)}" in zone
        assert zone in {each["id"] for each in snapshot.of_type("Microsoft.Network/privateDnsZones")}
    assert targets >= {store["name"] for store in stores(snapshot)}


@private
def test_what_calls_out_has_an_address_for_it_and_nothing_has_azures_default(snapshot):
    (network,) = snapshot.of_type("Microsoft.Network/virtualNetworks")
    subnets = {subnet["name"]: subnet["properties"] for subnet in network["properties"]["subnets"]}
    assert {name for name, subnet in subnets.items() if subnet["defaultOutboundAccess"]} == set()
    assert {name for name, subnet in subnets.items() if "natGateway" in subnet} == SUBNETS_WITH_A_WAY_OUT


def test_without_it_there_is_no_network(snapshot_of):
    assert [each for each in snapshot_of("default").resources if "Microsoft.Network" in each["type"]] == []


def test_no_store_takes_a_key(snapshot):
    for account in snapshot.of_type("Microsoft.Storage/storageAccounts"):
        assert account["properties"]["allowSharedKeyAccess"] is False
        assert account["properties"]["allowBlobPublicAccess"] is False
    for kind, name in (
        ("Microsoft.DocumentDB/databaseAccounts", "disableLocalAuth"),
        ("Microsoft.Insights/components", "DisableLocalAuth"),
    ):
        assert all(each["properties"][name] is True for each in snapshot.of_type(kind))


def test_what_is_deleted_from_the_lake_comes_back(snapshot_of):
    services = snapshot_of("default").of_type("Microsoft.Storage/storageAccounts/blobServices")
    (lake,) = [each["properties"] for each in services if "stlake" in each["id"]]
    assert (
        lake["deleteRetentionPolicy"]["enabled"] is lake["containerDeleteRetentionPolicy"]["enabled"] is True
    )


def test_a_second_deployment_leaves_the_rules_that_databricks_demands(snapshot_of):
    groups = snapshot_of("private networking").of_type("Microsoft.Network/networkSecurityGroups")
    (rules,) = [each["properties"]["securityRules"] for each in groups if "databricks" in each["name"]]
    # https://learn.microsoft.com/azure/databricks/security/network/classic/vnet-inject#network-security-group-rules
    found = {
        (rule["properties"]["direction"], rule["properties"]["destinationAddressPrefix"]) for rule in rules
    }
    outside = {
        ("Outbound", tag) for tag in ("VirtualNetwork", "AzureDatabricks", "Sql", "Storage", "EventHub")
    }
    assert found == outside | {("Inbound", "VirtualNetwork")}
    places = [(rule["properties"]["direction"], rule["properties"]["priority"]) for rule in rules]
    assert len(set(places)) == len(rules)
