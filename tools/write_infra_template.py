"""Prints what infra/ creates with private networking as one flat template, for linters that do not read Bicep.

It takes Bicep's compiler, which works out parameters, conditions, loops and modules.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

INFRA = Path(__file__).parents[1] / "infra"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
PARAMETERS = {
    "AZURE_ENV_NAME": "lint",
    "AZURE_LOCATION": "westeurope",
    "D2C_EXPORT_BUCKET": "my-exports",
    "D2C_CREATE_KEY_VAULT": "true",
    "D2C_PRIVATE_NETWORKING": "true",
}
PLACE = ("--subscription-id", "00000000-0000-0000-0000-000000000001", "--location", "westeurope")


def infra_template() -> str:
    """Return the template's text."""
    with tempfile.TemporaryDirectory() as folder:
        # The compiler writes beside the file that it reads.
        infra = Path(shutil.copytree(INFRA, Path(folder, "infra")))
        command = ["bicep", "snapshot", str(infra / "main.bicepparam"), "--mode", "overwrite", *PLACE]
        subprocess.run([*command, "--deployment-name", "lint"], env={**os.environ, **PARAMETERS}, check=True)  # noqa: S603
        resources = json.loads((infra / "main.snapshot.json").read_text())["predictedResources"]
    return json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}, indent=1)


if __name__ == "__main__":
    print(infra_template())
