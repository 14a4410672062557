"""How much throughput a load asks for."""

import math

# A write of 1 KB costs about 5 RU, and indexing adds to it for every property; Microsoft's examples plan with 10.
# https://learn.microsoft.com/azure/cosmos-db/key-value-store-cost
RU_PER_WRITTEN_KB = 10
LOAD_HOURS = 1
LEAST_LOAD_RU = 4_000
MOST_LOAD_RU = 100_000
AFTER_LOAD_RU = 1_000


def load_ru_per_second(item_count: int, size_bytes: int) -> int:
    """Return the RU/s with which a table loads in about an hour, in hundreds, within sensible bounds.

    Args:
        item_count: the export's items.
        size_bytes: their size in DynamoDB.
    """
    kilobytes = max(item_count, math.ceil(size_bytes / 1024))
    wanted = kilobytes * RU_PER_WRITTEN_KB / (LOAD_HOURS * 3600)
    return min(max(LEAST_LOAD_RU, math.ceil(wanted / 100) * 100), MOST_LOAD_RU)
