import pytest

from d2c.app.cluster_settings import read_cluster
from d2c.app.cluster_size import cores_of, ru_per_second_of, sized_cluster

MACHINE = {"node_type_id": "Standard_D4ds_v5"}


@pytest.mark.parametrize(
    ("machine", "cores"),
    [
        ("Standard_D4ds_v5", 4),
        ("Standard_E16-8s_v5", 8),
        ("Standard_NC24ads_A100_v4", 24),
        ("Standard_DS3_v2", 6),
        ("unknown", 6),
        ("", 6),
    ],
)
def test_a_machines_name_says_its_cores_unless_it_is_of_an_old_version(machine, cores):
    assert cores_of(machine, assumed_cores=6.0) == cores


@pytest.mark.parametrize(
    ("cluster", "ru_per_second"),
    [
        (read_cluster(""), 8 * 4 * 4_000),
        ({**MACHINE, "num_workers": 3}, 3 * 4 * 4_000),
        ({**MACHINE, "num_workers": 0}, 4 * 4_000),
        ({"existing_cluster_id": "c"}, 8 * 2 * 4_000),
    ],
)
def test_a_cluster_writes_with_4000_ru_a_core(cluster, ru_per_second):
    assert ru_per_second_of(cluster, assumed_cores=2) == ru_per_second


@pytest.mark.parametrize(
    ("ru_per_second", "workers"), [(0, 2), (400, 2), (33_000, 3), (160_000, 10), (1_000_000, 20)]
)
def test_a_cluster_that_scales_gets_the_workers_that_its_load_needs(ru_per_second, workers):
    cluster = {**MACHINE, "autoscale": {"min_workers": 2, "max_workers": 20}}
    sized = sized_cluster(cluster, ru_per_second, assumed_cores=1)
    assert sized == {**MACHINE, "autoscale": {"min_workers": 2, "max_workers": workers}}


@pytest.mark.parametrize("cluster", [{"existing_cluster_id": "c"}, {**MACHINE, "num_workers": 3}])
def test_a_cluster_of_a_fixed_size_stays_as_it_is(cluster):
    assert sized_cluster(cluster, 1_000_000, assumed_cores=1) == cluster
