import base64
import json
import os
import re
import shutil
import signal
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import BlobServiceClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from d2c.clients.databricks.files import DatabricksFiles
from d2c.clients.databricks.jobs import Databricks
from localcloud.cloud.deployment import deploy_to_workspace, wheel_path
from localcloud.cloud.processes import start_service, stop_service
from localcloud.common.names import EXISTING_CLUSTER_ID
from localcloud.lake import connection_string
from tests.contract.polling import HANG_SECONDS, wait_until
from tests.localcloud.contract.cosmos_account import KEY as COSMOS_KEY

NOTEBOOKS = Path(__file__).parent / "notebooks"
LAKE_KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()
TOKEN = "dapi-for-tests-only"
VIEWER_TOKEN = "dapi-of-somebody-else"
SECRETS = {
    "d2c": {"cosmos-account-key": "c2VjcmV0IGZvciB0ZXN0cyBvbmx5", "other": "another secret"},
    "cosmos": {"cosmos-account-key": COSMOS_KEY},
}
CLUSTER = {
    "spark_version": "17.3.x-scala2.13",
    "node_type_id": "Standard_D4ds_v5",
    "num_workers": 1,
    "data_security_mode": "SINGLE_USER",
}
EXISTING = {"existing_cluster_id": EXISTING_CLUSTER_ID}
CONNECTOR = {"maven": {"coordinates": "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:4.49.2"}}
WHEEL = {"whl": wheel_path()}
LAKE = "abfss://lake@devstoreaccount1.dfs.core.windows.net"


class Workspace:
    """A running local workspace with the tests' notebooks, and the ways in which tests use it."""

    def __init__(self, folder, storage, arguments=(), port=None):
        self.files = folder / "files"
        self.state_folder = folder / "state"
        self.arguments = ["--files", str(self.files), *arguments]
        self.storage = storage
        shutil.copytree(NOTEBOOKS, self.files / "Shared" / "tests", dirs_exist_ok=True)
        self.start(port)
        deploy_to_workspace(self.product_files)

    def start(self, port=None):
        self.service = start_service(
            "databricks",
            self.state_folder,
            port=port,
            arguments=self.arguments,
            environment={
                "LOCALCLOUD_DATABRICKS_TOKEN": TOKEN,
                "LOCALCLOUD_DATABRICKS_VIEWER_TOKEN": VIEWER_TOKEN,
                "LOCALCLOUD_LAKE": self.storage,
                "LOCALCLOUD_SECRETS": json.dumps(SECRETS),
            },
        )
        self.http = httpx.Client(
            base_url=self.service.url, timeout=HANG_SECONDS, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        config = Config(host=self.service.url, token=TOKEN, auth_type="pat", retry_timeout_seconds=2)
        self.jobs = WorkspaceClient(config=config).jobs
        self.product = Databricks(WorkspaceClient(config=config))
        self.product_files = DatabricksFiles(WorkspaceClient(config=config))

    def start_again(self):
        """Kill the service and start it on the same port."""
        self.service.process.kill()
        self.service.process.wait()
        self.start(int(re.sub(r".*:", "", self.service.url)))

    def submit(self, notebook, key, parameters=None, cluster=CLUSTER, libraries=(), viewers=""):
        return self.product.start_run(
            name=f"test {key}",
            # All tests share the workspace, where a key that was used before names the run of that time.
            run_key=f"{Path(notebook).name}-{key}",
            notebook_path=notebook if notebook.startswith("/") else f"/Shared/tests/{notebook}",
            parameters=parameters or {},
            cluster=cluster,
            libraries=list(libraries),
            viewers=viewers,
        )

    def ended(self, run_id):
        def look():
            run = self.product.get_run(run_id)
            return run if run.ended else None

        return wait_until(look)

    def output(self, run_id):
        return self.jobs.get_run_output(run_id + 1)

    def result(self, run_id):
        run = self.ended(run_id)
        assert run.succeeded, (run, self.output(run_id).error_trace, self.log(run_id)[-2000:])
        return json.loads(self.output(run_id).notebook_output.result)

    def kill(self, pid):
        """End a process of a run as the system does that runs out of memory."""
        os.kill(pid, signal.SIGKILL)

    def log(self, run_id):
        cluster = self.jobs.get_run(run_id).tasks[0].cluster_instance.cluster_id
        return (self.state_folder / "clusters" / cluster / "driver.log").read_text()


@pytest.fixture(scope="session")
def storage(tmp_path_factory):
    service = start_service(
        "lake", tmp_path_factory.mktemp("lake"), environment={"LOCALCLOUD_LAKE_KEY": LAKE_KEY}
    )
    text = connection_string(service.url, LAKE_KEY)
    BlobServiceClient.from_connection_string(text).create_container("lake")
    yield text
    stop_service(service)


@pytest.fixture(scope="session")
def lake(storage):
    return BlobServiceClient.from_connection_string(storage).get_container_client("lake")


@pytest.fixture(scope="package")
def workspace(tmp_path_factory, storage):
    """The workspace of all tests, with one existing cluster: a new one costs more than most notebooks."""
    running = Workspace(tmp_path_factory.mktemp("databricks"), storage, ["--driver-memory", "1g"])
    yield running
    stop_service(running.service)
