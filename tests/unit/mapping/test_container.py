"""What an existing container must be like to take a table's documents."""

from types import SimpleNamespace

import pytest

from d2c.mapping import KeySchema, compile_mapper, parse_rules
from d2c.mapping.container import find_misfit, marks_of, wanted_container


def mapper_of(rules=None, ttl_attribute=None):
    return compile_mapper(parse_rules(rules or {}, KeySchema("pk", "sk"), ttl_attribute=ttl_attribute))


@pytest.mark.parametrize(("ttl_attribute", "default_ttl"), [(None, None), ("until", -1)])
def test_a_container_gets_the_tables_paths_and_time_to_live_without_a_default(ttl_attribute, default_ttl):
    wanted = wanted_container(mapper_of({"partition_key": ["pk", "sk"]}, ttl_attribute))
    assert wanted == {"partition_key_paths": ["/pk", "/sk"], "default_ttl": default_ttl}


@pytest.mark.parametrize(
    ("wanted", "found", "cause", "next_step"),
    [
        (-1, None, "time to live off, but", "Turn time to live on"),
        (None, -1, "time to live on, but", "Turn time to live off"),
        (None, 60, "a default time to live of 60 seconds", "Remove the default"),
        (-1, 60, "a default time to live of 60 seconds", "Remove the default"),
    ],
)
def test_another_time_to_live_is_told_with_what_to_do(wanted, found, cause, next_step):
    container = SimpleNamespace(partition_key_paths=("/pk",), default_ttl=found)
    misfit = find_misfit({"partition_key_paths": ["/pk"], "default_ttl": wanted}, container)
    assert misfit.title == "The container has a different time to live"
    assert misfit.cause.startswith(cause)
    assert misfit.next_step.startswith(next_step)


@pytest.mark.parametrize("ttl", [None, -1])
def test_the_same_time_to_live_and_the_same_names_in_the_paths_fit(ttl):
    container = SimpleNamespace(partition_key_paths=('/"pk"', '/"a b"'), default_ttl=ttl)
    assert find_misfit({"partition_key_paths": ["/pk", '/"a b"'], "default_ttl": ttl}, container) is None


@pytest.mark.parametrize("path", ["/other", '/"a b"', "/pk/sk"])
def test_other_names_in_the_paths_do_not_fit(path):
    container = SimpleNamespace(partition_key_paths=(path,), default_ttl=None)
    misfit = find_misfit({"partition_key_paths": ["/pk"], "default_ttl": None}, container)
    assert misfit.title == "The container has a different partition key"
    assert path in misfit.cause


def test_a_tables_documents_are_marked_by_the_constants_of_its_partition_key():
    rules = {"partition_key": ["kind", "pk"], "set": {"kind": "order", "by": "us"}}
    assert marks_of(mapper_of(rules)) == {"kind": "order"}
