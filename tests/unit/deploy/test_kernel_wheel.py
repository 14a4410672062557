"""Which clusters the native kernel's wheel is for."""

import pytest

from d2c.app.cluster_settings import read_cluster
from d2c.deploy.kernel_wheel import KernelWheel, kernel_path, misfit, own_kernel
from d2c.deploy.wheel import wheel_path

FITTING = "d2c_kernel-0.1.0-cp311-abi3-manylinux_2_34_x86_64.whl"
PLACE = "/Shared/d2c/libraries"


def misfit_of(name=FITTING, cluster="{}", place=PLACE):
    return misfit(KernelWheel(name, b""), place, read_cluster(cluster))


def named(python="cp311", glibc="2_34", processor="x86_64"):
    return f"d2c_kernel-0.1.0-{python}-abi3-manylinux_{glibc}_{processor}.whl"


def test_the_default_cluster_gets_it():
    assert misfit_of() is None


@pytest.mark.parametrize(
    ("name", "cluster", "cause"),
    [
        (named(python="cp313"), "{}", "it needs Python 3.13, and the cluster has 3.12"),
        (named(glibc="2_41"), "{}", "it needs glibc 2.41, and the cluster has 2.39"),
        (named(processor="aarch64"), "{}", "it is for aarch64, and Standard_D4ds_v5 is x86_64"),
        (
            FITTING,
            '{"node_type_id": "Standard_D4pds_v6"}',
            "it is for x86_64, and Standard_D4pds_v6 is aarch64",
        ),
        (
            FITTING,
            '{"existing_cluster_id": "1"}',
            "it is not known what the cluster has (an existing cluster)",
        ),
        (FITTING, '{"instance_pool_id": "1"}', "the machines of a pool or policy are not known"),
        ("d2c_kernel-0.1.0-cp311-abi3-linux_x86_64.whl", "{}", "is not for every Linux"),
        ("d2c_kernel-0.1.0-cp311-abi3-macosx_11_0_arm64.whl", "{}", "is not for every Linux"),
    ],
)
def test_a_cluster_that_it_may_not_fit_does_not_get_it(name, cluster, cause):
    assert cause in misfit_of(name, cluster)


@pytest.mark.parametrize("machine", ["Standard_E8pds_v5", "Standard_D4ps_v6", "Standard_D2plds_v5"])
def test_a_wheel_for_arm_is_for_machines_of_arm(machine):
    assert misfit_of(named(processor="aarch64"), f'{{"node_type_id": "{machine}"}}') is None


def test_where_one_wheels_path_is_set_or_none_was_built_there_is_no_place_for_it():
    assert "D2C_WHEEL_PATH" in misfit_of(place="/Volumes/a/b/c/d2c-0.1.0-py3-none-any.whl")
    assert "make kernel" in misfit(None, PLACE, {})


def test_it_lies_beside_the_wheel_of_its_version():
    assert (
        kernel_path(KernelWheel(FITTING, b""), PLACE) == f"{wheel_path(PLACE).rpartition('/')[0]}/{FITTING}"
    )


def test_it_is_found_in_a_clone_and_in_the_app(tmp_path):
    assert own_kernel(tmp_path) is None
    for folder in ("native", "build/kernel"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / FITTING).write_bytes(folder.encode())
        own_kernel.cache_clear()
        assert own_kernel(tmp_path) == KernelWheel(FITTING, folder.encode())
    own_kernel.cache_clear()
