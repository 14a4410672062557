"""Measure the cost of one large data file in assess: time, and peak memory of JVM and Python worker.

A load run holds each data file whole, unless it streams them from a volume. This benchmark makes an export with one
data file of the given size (random text, which gzip reduces to about 57 %), stores it in a local lake, and runs the
real notebook with the real wheel on the local Databricks, up to the stage assess: once without and once with the
volume, each on a cluster of its own. It prints the time of each run, the peak resident memory of each kind of process,
that as a multiple of the file, and last the peaks with the volume as parts of those without.

    python -m benchmarks.large_data_file 200
    python -m benchmarks.large_data_file 900 --driver-memory 10g
    python -m benchmarks.large_data_file 1000 --only streamed
"""

import argparse
import base64
import gzip
import hashlib
import json
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from azure.storage.blob import BlobServiceClient, ContainerClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from d2c.clients.databricks.files import DatabricksFiles
from d2c.clients.databricks.jobs import Databricks, NotebookRun
from d2c.load_run.request import LoadRequest, RequestList
from localcloud.cloud.deployment import deploy_to_workspace, wheel_path
from localcloud.cloud.processes import start_service, stop_service
from localcloud.common.names import EXPORTS_VOLUME, NOTEBOOK_PATH
from localcloud.lake import connection_string

LAKE = "abfss://lake@devstoreaccount1.dfs.core.windows.net"
TABLE_ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Large"
EXPORT_ARN = f"{TABLE_ARN}/export/01780000000123-a1b2c3d4"
DATA_FILE = "k3f7q2wv5yzdnaxm4u6hbctj7e.json.gz"
EXPORT = "exports/large"
# Where tasks stream from; nowhere if None.
WAYS = {"whole": None, "streamed": f"{EXPORTS_VOLUME}/large"}
TEXT_BYTES = 1000
SAMPLE_SECONDS = 0.2
CLUSTER = {"spark_version": "17.3.x-scala2.13", "data_security_mode": "SINGLE_USER"}


def main() -> None:
    """Make the file, run, and print the figures."""
    parser = argparse.ArgumentParser(description="Measure the cost of one large data file in assess.")
    parser.add_argument("megabytes", type=int, help="size of the data file, compressed")
    parser.add_argument("--driver-memory", default="3g", help="the heap of the notebook's JVM")
    parser.add_argument(
        "--only", choices=list(WAYS), help="how the file is read; by default one after the other"
    )
    options = parser.parse_args()
    peaks: dict[str, dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        services(Path(folder), options.driver_memory) as (lake, workspace, pid),
    ):
        size, items = put_export(lake, options.megabytes, Path(folder) / DATA_FILE)
        print(f"data file: {size / 2**20:.0f} MB, {items} items; JVM heap at most {options.driver_memory}")
        for way in [options.only] if options.only else WAYS:
            began, sampled = time.monotonic(), Peaks(pid)
            run, result = assess(lake, workspace, way)
            seconds = time.monotonic() - began
            sampled.stop()
            peaks[way] = sampled.megabytes
            end = "succeeded" if run.succeeded else run.message
            print(
                f"{way}: {seconds:.1f} s, {size / 2**20 / seconds:.1f} MB/s; the run {end}; {outcome_of(result)}"
            )
            for kind, peak in peaks[way].items():
                print(f"  peak of {kind}: {peak:.0f} MB, {peak * 2**20 / size:.2f} times the file")
    if len(peaks) == len(WAYS):
        parts = {
            kind: round(peaks["streamed"][kind] / peak, 2) for kind, peak in peaks["whole"].items() if peak
        }
        print(json.dumps({"streamed_over_whole": parts}))


def outcome_of(result: Any) -> str:
    """Return what assess found, or why it refused the file."""
    if not result:
        return "no result"
    error = result["error"]
    return f"{error['title']}: {error['detail']}" if error else f"{result['assessed']['documents']} documents"


@contextmanager
def services(folder: Path, driver_memory: str) -> Iterator[tuple[ContainerClient, Databricks, int]]:
    """Run a lake and a Databricks workspace; give the lake's file system, the workspace and its process id."""
    key, token = base64.b64encode(secrets.token_bytes(32)).decode(), secrets.token_hex(16)
    lake = start_service("lake", folder / "lake", environment={"LOCALCLOUD_LAKE_KEY": key})
    try:
        connection = connection_string(lake.url, key)
        databricks = start_service(
            "databricks",
            folder / "databricks",
            arguments=["--files", str(folder / "files"), "--driver-memory", driver_memory],
            environment={
                "LOCALCLOUD_DATABRICKS_TOKEN": token,
                "LOCALCLOUD_LAKE": connection,
                "LOCALCLOUD_SECRETS": json.dumps({"d2c": {"cosmos-account-key": key}}),
            },
        )
        try:
            container = BlobServiceClient.from_connection_string(connection).create_container("lake")
            config = Config(host=databricks.url, token=token, auth_type="pat")
            deploy_to_workspace(DatabricksFiles(WorkspaceClient(config=config)))
            yield container, Databricks(WorkspaceClient(config=config)), databricks.process.pid
        finally:
            stop_service(databricks)
    finally:
        stop_service(lake)


def put_export(lake: ContainerClient, megabytes: int, file: Path) -> tuple[int, int]:
    """Store an export with one data file in the lake; return the file's size in bytes and its items."""
    source, items = random.Random(7), 0  # noqa: S311 - test data
    with gzip.open(file, "wb", compresslevel=1) as data:
        while items % 1000 or file.stat().st_size < megabytes * 2**20:
            text = source.randbytes(TEXT_BYTES // 2).hex()
            item = {"Artist": {"S": f"a-{items % 9973}"}, "Song": {"N": str(items)}, "Text": {"S": text}}
            data.write(json.dumps({"Item": item}).encode() + b"\n")
            items += 1
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "md5").digest()
        data.seek(0)
        lake.upload_blob(f"{EXPORT}/data/{DATA_FILE}", data)
    folder = f"AWSDynamoDB/{EXPORT_ARN.rpartition('/')[2]}"
    entry = {
        "itemCount": items,
        "md5Checksum": base64.b64encode(digest).decode(),
        "etag": "x-1",
        "dataFileS3Key": f"{folder}/data/{DATA_FILE}",
    }
    summary = {
        "version": "2020-06-30",
        "exportArn": EXPORT_ARN,
        "tableArn": TABLE_ARN,
        "itemCount": items,
        "billedSizeBytes": 0,
        "outputFormat": "DYNAMODB_JSON",
    }
    for name, value in (("manifest-files", entry), ("manifest-summary", summary)):
        content = json.dumps(value).encode()
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest())
        lake.upload_blob(f"{EXPORT}/{name}.json", content)
        lake.upload_blob(f"{EXPORT}/{name}.md5", md5)
    return file.stat().st_size, items


def assess(lake: ContainerClient, workspace: Databricks, way: str) -> tuple[NotebookRun, Any]:
    """Run the notebook up to the stage assess; return the run's end state and its findings."""
    request = LoadRequest(
        migration="m",
        table="Large",
        table_arn=TABLE_ARN,
        export_arn=EXPORT_ARN,
        stages=("assess",),
        export_folder=f"{LAKE}/{EXPORT}",
        result_folder=f"{LAKE}/{way}",
        streams_from=WAYS[way],
        hash_key="Artist",
        range_key="Song",
        ttl_attribute=None,
        rules_history=({},),
        max_rejected_items=0,
        verify="full",
        cosmos_endpoint="http://127.0.0.1:9",
        cosmos_auth="MasterKey",
        secret_scope="d2c",  # noqa: S106 - a name, not a secret
        database="shop",
        container="large",
    )
    lake.upload_blob(f"{way}/request.json", request.to_json())
    lake.upload_blob(f"{way}/unit.jsonl", b"")
    requests = RequestList((f"{LAKE}/{way}/request.json",), f"{LAKE}/{way}/unit.jsonl")
    lake.upload_blob(f"{way}/requests.json", requests.to_json())
    run_id = workspace.start_run(
        name="large data file",
        run_key=f"large-{way}",
        notebook_path=NOTEBOOK_PATH,
        parameters={"request": f"{LAKE}/{way}/requests.json"},
        cluster=CLUSTER,
        libraries=[{"whl": wheel_path()}],
    )
    while not (run := workspace.get_run(run_id)).ended:
        time.sleep(SAMPLE_SECONDS)
    result = lake.get_blob_client(f"{way}/result.json")
    return run, json.loads(result.download_blob().readall()) if result.exists() else None


class Peaks:
    """Samples the resident memory of all descendants of a process; ``megabytes`` holds the peaks by kind.

    Args:
        pid: the process.
    """

    def __init__(self, pid: int) -> None:
        self.megabytes = {"JVM": 0.0, "largest Python worker": 0.0}
        self._pid = pid
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop sampling."""
        self._stopped.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            for kind, megabytes in descendants(self._pid):
                self.megabytes[kind] = max(self.megabytes[kind], megabytes)


def descendants(pid: int) -> list[tuple[str, float]]:
    """Return kind and resident memory in MB of the JVMs and Python workers below a process."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss=,command="],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split(None, 3) for line in listing.splitlines()]
    below, found = {str(pid)}, []
    # A child's row may precede its parent's when process ids have wrapped.
    for _ in range(5):
        below |= {row[0] for row in rows if row[1] in below}
    for own, _, kilobytes, command in (row for row in rows if len(row) == 4):
        # The JVM's own command line names the workers' module as well.
        program = command.split()[0].rpartition("/")[2]
        kind = "JVM" if program == "java" else "largest Python worker" if "worker_daemon" in command else None
        if kind and own in below:
            found.append((kind, int(kilobytes) / 1024))
    return found


if __name__ == "__main__":
    main()
