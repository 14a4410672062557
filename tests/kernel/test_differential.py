"""Random items of random tables have the same outcomes with the kernel and without it.

KERNEL_ITEMS=1000000 KERNEL_SEED=1 .venv/bin/pytest tests/kernel/test_differential.py
"""

import os
import random

from d2c.errors import PlanError
from d2c.load_run.mappers import request_mapper

from .random_tables import random_lines, random_table
from .sides import differences, request_of

ITEMS = int(os.environ.get("KERNEL_ITEMS", "4000"))
SEED = int(os.environ.get("KERNEL_SEED", "1"))
ITEMS_OF_A_TABLE = 500
SAMPLES = ["full", "full", "full", "sample:0.3"]


def test_random_items_have_the_same_outcomes_with_the_kernel_and_without_it():
    tables = -(-ITEMS // ITEMS_OF_A_TABLE)
    for number in range(tables):
        source = random.Random(f"{SEED} {number}")
        request = possible_request(source)
        lines = random_lines(source, ITEMS_OF_A_TABLE)
        block = b"\n".join(lines) + source.choice([b"", b"\n"])
        found = differences(request, block, len(lines))
        assert not found, f"table {number} of seed {SEED}: {request.rules_history}"


def possible_request(source):
    """Return the request of a table whose rules are possible, some with the rules of a replay."""
    while True:
        later = [{}] if source.random() < 0.1 else []
        request = request_of(random_table(source), *later, verify=source.choice(SAMPLES))
        try:
            request_mapper(request)
        except PlanError:
            continue
        return request
