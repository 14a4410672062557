import pytest

from d2c.clients.azure.cosmos.management import Container
from d2c.mapping.indexing import default_policy, policy_with
from tests.builders import a_source

from .containers import EXPIRING, TABLE, existing, manual, prepared, scaled

INDEXED = {**TABLE, "source": a_source(index_keys=["Label", "Year"])}
OWN = {"indexingMode": "consistent", "includedPaths": [], "excludedPaths": [{"path": "/*"}]}


@pytest.mark.parametrize(
    ("table", "policy"),
    [
        (TABLE, policy_with(["Artist", "Song"])),
        (INDEXED, policy_with(["Artist", "Song", "Label", "Year"])),
        (
            {**INDEXED, "rules": {"rename": {"Label": "by"}, "drop": ["Year"]}},
            policy_with(["Artist", "Song", "by"]),
        ),
        (EXPIRING, policy_with(["Artist", "Song", "ttl"])),
        ({**INDEXED, "indexing": "all"}, default_policy()),
        ({**INDEXED, "indexing": OWN}, OWN),
    ],
)
def test_a_new_container_is_created_with_the_plan_s_policy(world, table, policy):
    assert scaled(world, table)["indexing_policy"] == policy
    assert [each["indexing_policy"] for each in world.cosmos.created] == [policy]


def test_an_existing_one_keeps_its_own_with_a_word_where_it_lacks_a_path_or_costs_more(world, caplog):
    lean = policy_with(["Artist", "Song"])
    existing(world, manual(400), Container(("/Artist",), None, indexing_policy=lean))
    assert prepared(world, INDEXED)["indexing_policy"] == lean
    assert "shop/music has no index for /Label/?, /Year/?" in caplog.text
    assert world.cosmos.created == []
    caplog.clear()
    existing(world, manual(400), Container(("/Artist",), None, indexing_policy=default_policy()))
    assert prepared(world, TABLE)["indexing_policy"] == default_policy()
    assert "a write costs about 2 times as many RU" in caplog.text


def test_one_that_has_what_the_plan_asks_for_is_told_nothing_of(world, caplog):
    existing(
        world, manual(400), Container(("/Artist",), None, indexing_policy=policy_with(["Artist", "Song"]))
    )
    prepared(world, TABLE)
    assert "index" not in caplog.text
