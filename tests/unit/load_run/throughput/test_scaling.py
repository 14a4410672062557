import pytest

from d2c.clients.azure.cosmos.resources import Throughput
from d2c.load_run.throughput.scaling import is_scaled


def manual(ru_per_second, minimum=400, pending=False):
    return Throughput(ru_per_second, False, minimum, pending)


@pytest.mark.parametrize(
    ("created", "has", "scaled"),
    [
        (True, None, True),
        (True, manual(9_000), False),
        (True, manual(10_000), True),
        # What made its partitions is lowered, as far as the service allows.
        (True, manual(198_000), False),
        (True, manual(12_000, minimum=12_000), True),
        # Somebody else may have given more to a container that was there.
        (False, manual(12_000), True),
        (False, manual(10_000, pending=True), False),
    ],
)
def test_a_container_is_scaled_once_it_has_the_loads_throughput(created, has, scaled):
    assert is_scaled({"created": created, "peak_ru_per_second": 10_000}, has) is scaled
