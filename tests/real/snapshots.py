"""What Azure would get of infra/, by Bicep's own compiler: its snapshot of a deployment, for parameters from azd."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.real.tools import find
from tests.unit.infra.bicep import INFRA

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
# What azd asks for before all else.
ASKED = {"AZURE_ENV_NAME": "dev", "AZURE_LOCATION": "westeurope", "D2C_EXPORT_BUCKET": "my-exports"}
# What only the deployment knows stays an expression in brackets.
UNRESOLVED = re.compile(r"\[.*\]", re.DOTALL)
Resource = Mapping[str, Any]


def run_bicep(*arguments: str, environment: Mapping[str, str] = ASKED) -> subprocess.CompletedProcess[str]:
    """Run the compiler; only these variables, and what a program needs anywhere, are in its environment."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("D2C_", "AZURE_"))}
    return subprocess.run(
        [str(find("bicep")), *arguments],
        env={**own, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_of_infra(folder: Path) -> Path:
    """Copy infra/ into a folder: the compiler writes beside the file that it reads."""
    return Path(shutil.copytree(INFRA, folder / "infra"))


@dataclass(frozen=True)
class Snapshot:
    """The resources of a deployment, worked out as Azure Resource Manager does."""

    resources: tuple[Resource, ...]
    diagnostics: tuple[Any, ...]
    text: str

    def of_type(self, kind: str) -> list[Resource]:
        """Return the resources of a type, such as ``Microsoft.Web/sites``."""
        return [resource for resource in self.resources if resource["type"] == kind]

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of all resources."""
        return frozenset(resource["id"] for resource in self.resources)

    @property
    def app_settings(self) -> dict[str, str]:
        """The settings of the Function app."""
        (app,) = self.of_type("Microsoft.Web/sites")
        return {
            setting["name"]: setting["value"] for setting in app["properties"]["siteConfig"]["appSettings"]
        }


def take_snapshot(parameters: Path, environment: Mapping[str, str]) -> Snapshot:
    """Return the snapshot for parameters from the environment.

    Args:
        parameters: a ``.bicepparam`` file in a copy of infra/.
        environment: what differs from `ASKED`.
    """
    place = ("--location", "westeurope") if parameters.stem == "main" else ("--resource-group", "rg-dev")
    ran = run_bicep(
        *("snapshot", str(parameters), "--mode", "overwrite", "--subscription-id", SUBSCRIPTION),
        *(*place, "--deployment-name", "d2c"),
        environment={**ASKED, **environment},
    )
    assert ran.returncode == 0, ran.stderr
    text = parameters.with_suffix(".snapshot.json").read_text()
    content = json.loads(text)
    return Snapshot(tuple(content["predictedResources"]), tuple(content["diagnostics"]), text)


def show_secure_values(infra: Path) -> None:
    """Let snapshots of a copy show the values of secure parameters, which they hide."""
    for path in infra.rglob("*.bicep"):
        path.write_text(path.read_text().replace("@secure()\n", ""))
