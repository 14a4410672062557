"""The native kernel's wheel, which `make kernel` builds: whether there is one, and whether it fits the cluster.

A library that cannot be installed fails a whole load run, so only a kernel that surely fits is published and installed.
Without it items are mapped in Python.
https://packaging.python.org/specifications/platform-compatibility-tags/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import d2c
from d2c.deploy.wheel import wheel_path

IN_CLONE, IN_APP = Path("build", "kernel"), Path("native")
BUILD_IT = "Build it where Cargo is (make kernel)"
FILE_NAME = re.compile(
    r"d2c_kernel-[0-9.]+-cp3(?P<python>\d+)-abi3-manylinux_2_(?P<glibc>\d+)_(?P<processor>x86_64|aarch64)\.whl"
)
ARM, X86 = "aarch64", "x86_64"
# Azure's letter for processors of ARM: Standard_D4pds_v6.
# https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions
ARM_MACHINE = re.compile(r"Standard_[A-Z]+\d+(-\d+)?[a-z]*p[a-z]*(_|$)")


@dataclass(frozen=True)
class Runtime:
    """What a Databricks Runtime has: the minor versions of Python 3 and of glibc 2."""

    python: int
    glibc: int


# By major version. Python 3.12 is that of Databricks' own constraints for 17.3:
# https://github.com/databricks/environments/blob/main/python/dbr/17.3.x-scala2.13/pyproject.toml
# Ubuntu 24.04 is that of its release notes, and of the serverless environment with the same client (version 4):
# https://learn.microsoft.com/azure/databricks/release-notes/runtime/17.3lts#system-environment
# https://learn.microsoft.com/azure/databricks/release-notes/serverless/environment-version/
# Its glibc is 2.39: https://packages.ubuntu.com/noble/libc6
RUNTIMES: Mapping[str, Runtime] = {"17": Runtime(python=12, glibc=39)}


@dataclass(frozen=True)
class KernelWheel:
    """The kernel's wheel."""

    name: str
    content: bytes


@cache
def own_kernel(root: Path | None = None) -> KernelWheel | None:
    """Return the kernel's wheel of this installation, or None if none was built.

    Args:
        root: the folder around `d2c`; this installation's own if None.
    """
    root = root or Path(d2c.__file__).parents[1]
    found = [path for folder in (IN_CLONE, IN_APP) for path in sorted((root / folder).glob("*.whl"))]
    return KernelWheel(found[0].name, found[0].read_bytes()) if found else None


def misfit(kernel: KernelWheel | None, place: str, cluster: Mapping[str, Any]) -> str | None:
    """Return why the kernel is not for a cluster, or None if it surely fits.

    Args:
        kernel: the wheel, or None without one.
        place: the value of ``D2C_WHEEL_PATH``.
        cluster: the setting ``D2C_CLUSTER``, completed.
    """
    if kernel is None:
        return f"it was not built. {BUILD_IT}"
    if place.endswith(".whl"):
        return "D2C_WHEEL_PATH is the path of one wheel. Set it to a folder"
    tags, runtime = FILE_NAME.fullmatch(kernel.name), RUNTIMES.get(_major(cluster))
    if tags is None:
        return f"{kernel.name} is not for every Linux (manylinux). {BUILD_IT}, on Linux"
    if runtime is None:
        return f"it is not known what the cluster has ({_cluster_of(cluster)}). Name a runtime in D2C_CLUSTER"
    return _unlike(tags, runtime, cluster)


def _unlike(tags: re.Match[str], runtime: Runtime, cluster: Mapping[str, Any]) -> str | None:
    """Return what a wheel needs and a cluster does not have."""
    if int(tags["python"]) > runtime.python:
        return f"it needs Python 3.{tags['python']}, and the cluster has 3.{runtime.python}"
    if int(tags["glibc"]) > runtime.glibc:
        return f"it needs glibc 2.{tags['glibc']}, and the cluster has 2.{runtime.glibc}. {BUILD_IT}, on an older Linux"
    machines = [cluster[name] for name in ("node_type_id", "driver_node_type_id") if cluster.get(name)]
    if not machines:
        return "the machines of a pool or policy are not known. Name them in D2C_CLUSTER (node_type_id)"
    for machine in machines:
        processor = ARM if ARM_MACHINE.match(machine) else X86
        if processor != tags["processor"]:
            return f"it is for {tags['processor']}, and {machine} is {processor}. {BUILD_IT}, on such a processor"
    return None


def _major(cluster: Mapping[str, Any]) -> str:
    return str(cluster.get("spark_version", "")).partition(".")[0]


def _cluster_of(cluster: Mapping[str, Any]) -> str:
    return str(cluster.get("spark_version") or "an existing cluster")


def kernel_path(kernel: KernelWheel, place: str) -> str:
    """Return the path in the workspace of the kernel's wheel: next to that of d2c, whose version it has."""
    return f"{wheel_path(place).rpartition('/')[0]}/{kernel.name}"


def fitting_kernel(place: str, cluster: Mapping[str, Any]) -> str | None:
    """Return the path in the workspace of the kernel's wheel, or None if there is none that fits.

    Args:
        place: the value of ``D2C_WHEEL_PATH``.
        cluster: the setting ``D2C_CLUSTER``, completed.
    """
    kernel = own_kernel()
    return kernel_path(kernel, place) if kernel and not misfit(kernel, place, cluster) else None
