"""The driver of the existing cluster: ``python -m localcloud.databricks.notebook.cluster_driver``.

One JVM that notebooks share, each from a process of its own, as on an all-purpose cluster. It announces where its
gateway is once it is warm, and then cancels the jobs of runs on request. A fresh JVM spends most of a small table's
time on loading classes: Databricks' pools keep machines ready, this keeps a whole driver ready.
"""

import os
import queue
from pathlib import Path
from typing import Any

from localcloud.databricks.notebook.protocol import announce, read_messages
from localcloud.databricks.notebook.spark_session import start_spark
from localcloud.databricks.notebook.warm_up import warm_up

LOOK_SECONDS = 0.5


def main() -> None:
    """Run until the JVM ends, or the service."""
    messages = read_messages()
    settings = messages.get()
    folder = Path(settings["folder"])
    spark = start_spark(folder, settings["driver_memory"], {})
    warm_up(spark, folder / "scratch")
    gateway: Any = spark.sparkContext._gateway
    announce({"port": gateway.gateway_parameters.port, "secret": gateway.gateway_parameters.auth_token})
    while gateway.proc.poll() is None:
        try:
            message = messages.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            continue
        spark.sparkContext._jsc.sc().cancelJobGroupAndFutureJobs(message["cancel"])


if __name__ == "__main__":
    main()
    os._exit(1)
