"""How much throughput a load asks for, and how long it takes with how much."""

import math

# A write of 1 KB costs about 5 RU, and indexing adds to it for every property; Microsoft's examples plan with 10.
# https://learn.microsoft.com/azure/cosmos-db/key-value-store-cost
RU_PER_WRITTEN_KB = 10
LOAD_HOURS = 1
LEAST_LOAD_RU = 4_000
MOST_LOAD_RU = 100_000
AFTER_LOAD_RU = 1_000
# What a load could be given, to compare.
SAMPLE_RU_PER_SECOND = (4_000, 10_000, 40_000, 100_000)


def write_ru(kilobytes: int) -> int:
    """Return about how many request units it costs to write documents with Cosmos DB's default indexing.

    Args:
        kilobytes: their sizes together, each begun KB of each document counted.
    """
    return kilobytes * RU_PER_WRITTEN_KB


def load_ru_per_second(item_count: int, size_bytes: int) -> int:
    """Return the RU/s with which a table loads in about an hour, in hundreds, within sensible bounds.

    Args:
        item_count: the export's items.
        size_bytes: their size in DynamoDB.
    """
    kilobytes = max(item_count, math.ceil(size_bytes / 1024))
    wanted = write_ru(kilobytes) / (LOAD_HOURS * 3600)
    return min(max(LEAST_LOAD_RU, math.ceil(wanted / 100) * 100), MOST_LOAD_RU)


def load_estimate(ru: int, load_ru_per_second: int | None) -> list[dict[str, int | bool]]:
    """Return how many seconds a load takes with the throughput that it gets, and with others to compare.

    Args:
        ru: what it costs.
        load_ru_per_second: what it gets, or None where the container has no throughput of its own.
    """
    choices = sorted({*SAMPLE_RU_PER_SECOND, *([load_ru_per_second] if load_ru_per_second else [])})
    return [
        {"ru_per_second": choice, "seconds": math.ceil(ru / choice), "planned": choice == load_ru_per_second}
        for choice in choices
    ]
