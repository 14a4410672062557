"""Tables whose documents go into one container must not be able to meet there."""

from collections.abc import Mapping
from itertools import combinations

from d2c.mapping.comparison import document_identity
from d2c.mapping.rules import Rules


def faults_of_sharing(rules_by_table: Mapping[str, Rules]) -> list[str]:
    """Return why tables cannot share a container; nothing where documents of two tables never meet.

    Args:
        rules_by_table: the rules of every table that goes into the container, by table name.
    """
    faults = []
    for (table, rules), (other_table, other_rules) in combinations(rules_by_table.items(), 2):
        pair = f"tables `{table}` and `{other_table}` share a container"
        if rules.partition_key_paths != other_rules.partition_key_paths:
            faults.append(
                f"partition_key: {pair}, but {table} has {', '.join(rules.partition_key_paths)} and {other_table} "
                f"{', '.join(other_rules.partition_key_paths)}; give both the same properties, by `rename` if need be"
            )
        elif rules.container_has_ttl != other_rules.container_has_ttl:
            faults.append(
                f"ttl: {pair}, but only one of them has time to live on; tell both that the container has it"
            )
        elif not _are_kept_apart(rules, other_rules):
            faults.append(
                f"set: {pair}, but no constant in the partition key tells their documents apart; add one to both "
                "with `set`, with different values, and name it in `partition_key`"
            )
    return faults


def _are_kept_apart(rules: Rules, other: Rules) -> bool:
    """Tell whether some level of the partition key is a constant in both, with different values."""
    return any(
        level in rules.constants
        and other_level in other.constants
        and document_identity([rules.constants[level]], "")
        != document_identity([other.constants[other_level]], "")
        for level, other_level in zip(rules.partition_key, other.partition_key, strict=True)
    )
