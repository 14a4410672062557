"""The Function app's package: the files that Azure gets, with the `host.json` of the chosen Durable provider.

The platform scales by the file `host.json`; app settings that override it reach the host's own process only.
https://github.com/Azure/azure-functions-host (FunctionsSyncManager.ReadDurableTaskConfig)
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from d2c.deploy.kernel_wheel import IN_APP, own_kernel
from d2c.errors import D2CError, SettingsError

# Everything else in a checkout stays out; `.funcignore` says the same to other tools.
CONTENT = (
    "activities",
    "adf",
    "d2c",
    "dashboard",
    "function_app.py",
    "notebooks",
    "orchestrators",
    "requirements.txt",
    "triggers",
)
HOST_FILE = "host.json"
FOLDER = Path("build", "package")
PROVIDER_SETTING = "D2C_DURABLE_PROVIDER"
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")

# What the provider changes in `extensions.durableTask`; hub and setting are those of infra/.
# https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/quickstart-durable-task-scheduler
DURABLE_TASK: Mapping[str, Mapping[str, Any]] = {
    "AzureStorage": {},
    "azureManaged": {
        "hubName": "d2c",
        "storageProvider": {
            "type": "azureManaged",
            "connectionStringName": "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
        },
    },
}


def package_app(root: Path, environment: Mapping[str, str]) -> Path:
    """Write the app's package, replacing an earlier one, and return its folder.

    Args:
        root: the checkout.
        environment: with ``D2C_DURABLE_PROVIDER``; Azure Storage if it is not set.

    Raises:
        SettingsError: if there is no such provider.
        D2CError: if this is no checkout.
    """
    missing = [name for name in (*CONTENT, HOST_FILE) if not (root / name).exists()]
    if missing:
        raise D2CError(
            f"{', '.join(missing)} not in {root}: the wheel of d2c does not include them.",
            "Clone the project, and run d2c package from the clone.",
            "There is nothing to package",
        )
    host = host_file((root / HOST_FILE).read_text(), environment.get(PROVIDER_SETTING) or "AzureStorage")
    folder = root / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in CONTENT:
        _copy(root / name, folder / name)
    kernel = own_kernel(root)
    if kernel:
        (folder / IN_APP).mkdir()
        (folder / IN_APP / kernel.name).write_bytes(kernel.content)
    (folder / HOST_FILE).write_text(host)
    return folder


def host_file(text: str, provider: str) -> str:
    """Return the text of `host.json` for a provider of Durable Functions.

    Args:
        text: the checkout's, which is for Azure Storage.
        provider: ``AzureStorage`` or ``azureManaged``, the Durable Task Scheduler.

    Raises:
        SettingsError: if there is no such provider.
    """
    if provider not in DURABLE_TASK:
        raise SettingsError(
            f"{PROVIDER_SETTING} is {provider!r}, which is no provider of Durable Functions.",
            f"Set it to {' or '.join(DURABLE_TASK)}: azd env set {PROVIDER_SETTING} NAME",
        )
    host = json.loads(text)
    host["extensions"]["durableTask"] |= DURABLE_TASK[provider]
    return json.dumps(host, indent=2) + "\n"


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=IGNORED)
    else:
        shutil.copyfile(source, target)
