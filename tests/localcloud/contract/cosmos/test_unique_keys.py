"""Unique keys, by the SDK."""

import pytest
from azure.cosmos.exceptions import CosmosResourceExistsError


@pytest.fixture
def people(account):
    """A container whose documents have distinct mails within their key."""
    return account.container(unique_key_policy={"uniqueKeys": [{"paths": ["/mail"]}]})


def person(name, mail=None, pk="a", **more):
    return {"id": name, "pk": pk, **({"mail": mail} if mail else {}), **more}


def test_a_value_is_held_within_its_partition_only(people):
    people.create_item(person("1", "x"))
    people.create_item(person("1", "x", pk="b"))
    for write in (people.create_item, people.upsert_item):
        with pytest.raises(CosmosResourceExistsError):
            write(person("2", "x"))


def test_what_a_document_lacks_is_a_value_too(people):
    people.create_item(person("1"))
    with pytest.raises(CosmosResourceExistsError):
        people.create_item(person("2"))


def test_a_value_is_free_again_once_its_document_changes_or_goes(people):
    people.create_item(person("1", "x"))
    people.upsert_item(person("1", "y"))
    people.create_item(person("2", "x"))
    people.delete_item("2", "a")
    people.upsert_item(person("1", "x"))
    people.delete_all_items_by_partition_key("a")
    people.create_item(person("3", "x"))


def test_a_refused_document_of_a_batch_ends_it(people, bulk):
    operations = [
        {"operationType": "Upsert", "partitionKey": '["a"]', "resourceBody": person(name, "x")}
        for name in "12"
    ]
    assert [one["statusCode"] for one in bulk(people, operations).json()] == [201, 409]
